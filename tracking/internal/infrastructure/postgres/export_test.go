package postgres

func Classify(err error) error { return classify(err) }
