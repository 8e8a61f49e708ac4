package payfile

import "strings"

// Payer is the account that bank transfers are paid from. The zero Payer has none.
type Payer struct{ name, iban, bic string }

// NewPayer returns the payer of the name, which all banks can read, with IBAN and, if its bank
// wants it, BIC. faults names every fault by its part: name, iban or bic.
func NewPayer(name, iban, bic string) (payer Payer, faults map[string]string) {
	faults = map[string]string{}
	if name+iban+bic == "" {
		return Payer{}, faults
	}

	payer = Payer{iban: compact(iban), bic: compact(bic)}

	text, ok := latin(name)
	if payer.name = cut(text, maxName); !ok || payer.name == "" {
		faults["name"] = "must be a name in Latin letters"
	}

	if code := checkIBAN(payer.iban); code != nil {
		faults["iban"] = code.Error()
	}

	if payer.bic != "" && !isBIC(payer.bic) {
		faults["bic"] = "must be a BIC"
	}

	return payer, faults
}

func (p Payer) known() bool { return strings.TrimSpace(p.iban) != "" }
