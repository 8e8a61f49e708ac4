package payfile

import "tributary/platform/fault"

// The codes of account details that a format cannot pay to.
var (
	errEmail = fault.DefineField(
		"email_invalid",
		"must be an e-mail address of at most 127 ASCII characters",
	)
	errNotLatin    = fault.DefineField("name_not_latin", "must be a name in Latin letters")
	errBIC         = fault.DefineField("bic_invalid", "must be a BIC of 8 or 11 characters")
	errIBAN        = fault.DefineField("iban_invalid", "must be an IBAN")
	errIBANCountry = fault.DefineField(
		"iban_country",
		"must be of a country in the Single Euro Payments Area",
	)
	errIBANLength = fault.DefineField(
		"iban_length",
		"has another number of characters than an IBAN of its country",
	)
	errIBANChecksum = fault.DefineField("iban_checksum", "has a wrong check digit")
)
