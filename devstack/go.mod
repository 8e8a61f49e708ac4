module tributary/devstack

go 1.26.0
