package payfile

import (
	"regexp"
	"strings"

	"tributary/platform/fault"
)

// ibanLength returns the length of an IBAN of a country in the Single Euro Payments Area.
func ibanLength(country string) (int, bool) {
	length, known := map[string]int{
		"AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22,
		"DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21,
		"HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27,
		"MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24,
		"RS": 22, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "VA": 22,
	}[country]

	return length, known
}

var (
	ibanForm = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]+$`)
	bicForm  = regexp.MustCompile(`^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`)
)

// compact removes the spaces of the printed form and turns letters into capitals.
func compact(text string) string {
	return strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(text), " ", ""))
}

// checkIBAN returns the code of the fault of a compact IBAN, or nil.
func checkIBAN(iban string) *fault.FieldCode {
	if !ibanForm.MatchString(iban) {
		return errIBAN
	}

	length, known := ibanLength(iban[:2])

	switch {
	case !known:
		return errIBANCountry
	case len(iban) != length:
		return errIBANLength
	case remainder(iban[4:]+iban[:4]) != 1:
		return errIBANChecksum
	}

	return nil
}

// remainder returns the number modulo 97 whose digits are those of the text, letters being 10 to 35
// (ISO 7064).
func remainder(text string) int {
	rest := 0

	for _, c := range text {
		if c >= 'A' {
			rest = (rest*100 + int(c-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(c-'0')) % 97
		}
	}

	return rest
}

func isBIC(bic string) bool { return bicForm.MatchString(bic) }
