module tributary/contracts

go 1.26.0
