package postgres

const InsertsAfterRepetition = insertsAfterRepetition

func Classify(err error) error { return classify(err) }
