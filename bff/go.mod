module tributary/bff

go 1.26.0
