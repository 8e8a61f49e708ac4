package money

// Currency is one of the currencies of ISO 4217 that have minor units. It is comparable with ==;
// the zero value is none.
type Currency struct {
	code   [3]byte
	digits uint8
}

// ParseCurrency finds a currency by its code in capitals. ErrCurrencyUnknown for anything else,
// also for codes without minor units such as XXX, XTS, XAU and XDR.
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

// USD is the US dollar, the currency of events that name none.
func USD() Currency { return Currency{code: [3]byte{'U', 'S', 'D'}, digits: 2} }

// Finest is a currency with as many fractional digits as any has: it can express every amount of
// every other.
func Finest() Currency { return Currency{code: [3]byte{'C', 'L', 'F'}, digits: 4} }

// Valid tells whether it is a currency at all.
func (c Currency) Valid() bool { return c.code[0] != 0 }

// Digits gives the number of fractional digits of an amount in major units: 2 for USD, 0 for JPY, 3
// for KWD.
func (c Currency) Digits() int { return int(c.digits) }

// String gives the code, "" for none.
func (c Currency) String() string {
	if !c.Valid() {
		return ""
	}

	return string(c.code[:])
}

// minorDigits is the ISO 4217 table. Codes withdrawn lately (ANG, BGN, ZWL) stay: late events may
// name them.
func minorDigits(code string) (uint8, bool) {
	switch code {
	case "BIF",
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
		"CUP",
		"CVE",
		"CZK",
		"DKK",
		"DOP",
		"DZD",
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
		"MAD",
		"MDL",
		"MGA",
		"MKD",
		"MMK",
		"MNT",
		"MOP",
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
		"SOS",
		"SRD",
		"SSP",
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
		"VES",
		"WST",
		"XCD",
		"XCG",
		"YER",
		"ZAR",
		"ZMW",
		"ZWG",
		"ZWL":
		return 2, true
	}

	return 0, false
}
