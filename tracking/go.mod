module tributary/tracking

go 1.26.0
