module tributary/commission

go 1.26.0
