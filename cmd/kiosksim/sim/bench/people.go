package bench

import "longcheng/cmd/kiosksim/sim/sam"

// A sample is one invented person and the state of the card. Names say that they
// are samples; numbers use the unassigned region 999999 and a right check digit.
type sample struct {
	ID string `json:"id"`
	ZH string `json:"zh"`
	EN string `json:"en"`

	person    sam.Person
	condition sam.Condition
}

// samples returns the cards in the drawer.
func samples() []sample {
	return []sample{
		{"adult", "普通成人", "adult", card("样例甲", "2", "19900307", "20450306"), sam.Good},
		{"elderly", "75 岁以上老人", "elderly, 75+", card("样例乙", "1", "19450512", "长期"), sam.Good},
		{"expired", "证件已过期", "expired card", card("样例丙", "1", "19851121", "20200101"), sam.Good},
		{"damaged", "芯片损坏", "damaged card", card("样例丁", "2", "19780930", "20410930"), sam.BadChecksum},
		{"moved", "过早移开", "moved too early", card("样例戊", "1", "20010214", "20410214"), sam.MovedTooEarly},
		{"forged", "伪造证件", "forged card", card("样例己", "2", "19690801", "20390801"), sam.Forged},
	}
}

func sampleByID(id string) (sample, bool) {
	for _, s := range samples() {
		if s.ID == id {
			return s, true
		}
	}
	return sample{}, false
}

// card makes a person; sex is 1 for men and 2 for women, as on the card.
func card(name, sex, birth, until string) sam.Person {
	return sam.Person{
		Name: name, Sex: sex, Nation: "01", Birth: birth,
		Address: "样例省样例市样例路1号", Number: number("999999" + birth + "00" + sex),
		Issuer: "样例市公安局", From: "20100101", Until: until,
	}
}

// number appends the check character of GB 11643 (ISO 7064 MOD 11-2) to 17 digits.
func number(digits string) string {
	r := 0
	for i, d := range digits {
		r += int(d-'0') << (17 - i)
	}
	return digits + string("10X98765432"[r%11])
}
