package idcard

import (
	"time"

	"longcheng/device/secret"
)

// A Flag is a doubt about a card that was read well. What follows from it is
// the hall's to decide.
type Flag string

// The flags.
const (
	Expired     Flag = "expired"       // the last day of its validity is over
	NotYetValid Flag = "not yet valid" // its validity begins later
	BadBirth    Flag = "birth"         // born in the future, after the card was issued, or over 130 years ago
	BadValidity Flag = "validity"      // it ends before it begins
	BadSex      Flag = "sex"           // the number says otherwise
	BadArea     Flag = "area"          // the first digits do not belong to this kind of document
)

// Flags returns the doubts about a card on the calendar day of now. A card is
// valid on the last day printed on it. Set the machine's clock before trusting
// them.
func (c Card) Flags(now time.Time) (all []Flag) {
	today := secret.NewDay(now).Time()
	birth, from, until := c.Birth.Time(), c.From.Time(), c.Until.Time()
	for _, d := range []struct {
		flag Flag
		is   bool
	}{
		{Expired, !c.Until.IsZero() && until.Before(today)},
		{NotYetValid, from.After(today)},
		{BadBirth, birth.After(today) || birth.After(from) || birth.AddDate(130, 0, 0).Before(today)},
		{BadValidity, !c.Until.IsZero() && until.Before(from)},
		{BadSex, !c.sexFits()},
		{BadArea, !c.areaFits()},
	} {
		if d.is {
			all = append(all, d.flag)
		}
	}
	return all
}

// sexFits compares the sex with digit 17 of the number, odd for men.
func (c Card) sexFits() bool {
	number, sex := c.Number.Reveal(), c.Sex.Reveal()
	if c.Kind != Resident && c.Kind != Permit || len(number) != 18 || sex != "1" && sex != "2" {
		return true
	}
	return (number[16]-'0')%2 == (sex[0]-'0')%2
}

// areaFits looks at the first digits: 81 Hong Kong, 82 Macao, 83 Taiwan.
func (c Card) areaFits() bool {
	number := c.Number.Reveal()
	special := len(number) > 2 && number[0] == '8' && number[1] >= '1' && number[1] <= '3'
	switch c.Kind {
	case Permit:
		return special
	case Resident:
		return len(number) > 0 && number[0] != '9'
	}
	return true
}
