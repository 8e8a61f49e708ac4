package money

import "time"

// Currency is one of the currencies of ISO 4217 that have minor units. It is comparable with ==.
// The zero value is not a currency.
type Currency struct {
	code   [3]byte
	digits uint8
}

// ParseCurrency returns the currency with the code, in capitals. It accepts currencies in use and
// those that have ended since 2010: what was posted in them remains. ErrCurrencyUnknown is returned
// for anything else, including codes without minor units such as XXX, XTS, XAU and XDR.
func ParseCurrency(code string) (Currency, error) {
	if len(code) != 3 {
		return Currency{}, ErrCurrencyUnknown
	}

	digits, ok := minorDigits(code)
	if !ok {
		return Currency{}, ErrCurrencyUnknown
	}

	return Currency{code: [3]byte([]byte(code)), digits: digits}, nil
}

// ParseCurrencyAt is ParseCurrency for a currency that was in use at the time. A currency that has
// ended is in use to the end of its last day in UTC.
func ParseCurrencyAt(code string, at time.Time) (Currency, error) {
	last, ended := lastDay(code)
	if ended && at.UTC().Format(time.DateOnly) > last {
		return Currency{}, ErrCurrencyUnknown
	}

	return ParseCurrency(code)
}

// USD returns the US dollar, the currency of events that name none.
func USD() Currency { return Currency{code: [3]byte{'U', 'S', 'D'}, digits: 2} }

// Finest returns a currency with the largest number of fractional digits: it can express every
// amount of every other currency.
func Finest() Currency { return Currency{code: [3]byte{'C', 'L', 'F'}, digits: 4} }

// Valid reports whether c is a currency, and not the zero value.
func (c Currency) Valid() bool { return c.code[0] != 0 }

// Digits returns the number of fractional digits of an amount in major units: 2 for USD, 0 for JPY,
// 3 for KWD.
func (c Currency) Digits() int { return int(c.digits) }

// String returns the code, or "" for the zero value.
func (c Currency) String() string {
	if !c.Valid() {
		return ""
	}

	return string(c.code[:])
}

// lastDay returns the last day of a currency that has ended since 2010.
func lastDay(code string) (day string, ended bool) {
	switch code {
	case "EEK":
		return "2010-12-31", true
	case "ZMK":
		return "2012-12-31", true
	case "LVL":
		return "2013-12-31", true
	case "LTL":
		return "2014-12-31", true
	case "BYR":
		return "2016-12-31", true
	case "MRO", "STD":
		return "2017-12-31", true
	case "VEF":
		return "2018-08-19", true
	case "CUC":
		return "2021-06-30", true
	case "HRK":
		return "2022-12-31", true
	case "SLL":
		return "2023-12-31", true
	case "ZWL":
		return "2024-08-31", true
	case "ANG":
		return "2025-06-30", true
	case "BGN":
		return "2025-12-31", true
	}

	return "", false
}

// minorDigits is the ISO 4217 table, with the currencies that have ended since 2010.
func minorDigits(code string) (uint8, bool) {
	switch code {
	case "BIF",
		"BYR",
		"CLP",
		"DJF",
		"GNF",
		"ISK",
		"JPY",
		"KMF",
		"KRW",
		"PYG",
		"RWF",
		"UGX",
		"UYI",
		"VND",
		"VUV",
		"XAF",
		"XOF",
		"XPF":
		return 0, true
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3, true
	case "CLF", "UYW":
		return 4, true
	case "AED",
		"AFN",
		"ALL",
		"AMD",
		"ANG",
		"AOA",
		"ARS",
		"AUD",
		"AWG",
		"AZN",
		"BAM",
		"BBD",
		"BDT",
		"BGN",
		"BMD",
		"BND",
		"BOB",
		"BOV",
		"BRL",
		"BSD",
		"BTN",
		"BWP",
		"BYN",
		"BZD",
		"CAD",
		"CDF",
		"CHE",
		"CHF",
		"CHW",
		"CNY",
		"COP",
		"COU",
		"CRC",
		"CUC",
		"CUP",
		"CVE",
		"CZK",
		"DKK",
		"DOP",
		"DZD",
		"EEK",
		"EGP",
		"ERN",
		"ETB",
		"EUR",
		"FJD",
		"FKP",
		"GBP",
		"GEL",
		"GHS",
		"GIP",
		"GMD",
		"GTQ",
		"GYD",
		"HKD",
		"HNL",
		"HRK",
		"HTG",
		"HUF",
		"IDR",
		"ILS",
		"INR",
		"IRR",
		"JMD",
		"KES",
		"KGS",
		"KHR",
		"KPW",
		"KYD",
		"KZT",
		"LAK",
		"LBP",
		"LKR",
		"LRD",
		"LSL",
		"LTL",
		"LVL",
		"MAD",
		"MDL",
		"MGA",
		"MKD",
		"MMK",
		"MNT",
		"MOP",
		"MRO",
		"MRU",
		"MUR",
		"MVR",
		"MWK",
		"MXN",
		"MXV",
		"MYR",
		"MZN",
		"NAD",
		"NGN",
		"NIO",
		"NOK",
		"NPR",
		"NZD",
		"PAB",
		"PEN",
		"PGK",
		"PHP",
		"PKR",
		"PLN",
		"QAR",
		"RON",
		"RSD",
		"RUB",
		"SAR",
		"SBD",
		"SCR",
		"SDG",
		"SEK",
		"SGD",
		"SHP",
		"SLE",
		"SLL",
		"SOS",
		"SRD",
		"SSP",
		"STD",
		"STN",
		"SVC",
		"SYP",
		"SZL",
		"THB",
		"TJS",
		"TMT",
		"TOP",
		"TRY",
		"TTD",
		"TWD",
		"TZS",
		"UAH",
		"USD",
		"USN",
		"UYU",
		"UZS",
		"VED",
		"VEF",
		"VES",
		"WST",
		"XCD",
		"XCG",
		"YER",
		"ZAR",
		"ZMK",
		"ZMW",
		"ZWG",
		"ZWL":
		return 2, true
	}

	return 0, false
}
