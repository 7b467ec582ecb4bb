package idcard

import "fmt"

// A Status is the module's answer, byte SW3 of a reply. As an error it says what
// the module refused; unknown ones keep their number.
type Status byte

// The answers that something follows from.
const (
	OK           Status = 0x90
	Found        Status = 0x9F // to find alone
	BadXOR       Status = 0x10
	BadLength    Status = 0x11
	NoCommand    Status = 0x21
	Unauthorised Status = 0x23
	CardDenies   Status = 0x31 // the card does not accept the module
	SAMDenies    Status = 0x32 // the module does not accept the card
	BadMAC       Status = 0x33 // the card's data does not prove itself
	WrongType    Status = 0x40
	ReadFailed   Status = 0x41
	SelfTest     Status = 0x60
	Unlicensed   Status = 0x66
	NoCard       Status = 0x80 // no card, or one that has been read and still lies there
	NotSelected  Status = 0x81
	NoSuchItem   Status = 0x91
)

// meanings follow the lists in the makers' notes; 23 is in few of them.
var meanings = map[Status]string{
	OK: "done", Found: "card found", NoCard: "no card", NoSuchItem: "the card has no such item",
	BadXOR: "the module heard a wrong check sum: check the cable", BadLength: "the module heard a wrong length: check the cable",
	NoCommand: "the module does not know this command", Unauthorised: "the module may not do this",
	0x24:       "the module does not know what went wrong: present the card again",
	CardDenies: "the card does not accept the reader: present it again",
	SAMDenies:  "the card did not prove itself genuine", BadMAC: "the card's data did not prove itself genuine",
	WrongType: "no identity document", ReadFailed: "the card was moved: lift it and present it again", 0x47: "the card gave no random number: present it again",
	SelfTest:   "the module failed its own test: switch the reader off and on, else call its service",
	Unlicensed: "the module is not licensed: call the reader's service", NotSelected: "the card was not selected: present it again",
}

// Error names the answer and what to do about it.
func (s Status) Error() string {
	if m := meanings[s]; m != "" {
		return fmt.Sprintf("card reader answers %02X: %s", byte(s), m)
	}
	return fmt.Sprintf("card reader answers %02X, which no note explains", byte(s))
}

// Counterfeit reports whether the card failed to prove itself genuine: a
// security event, not a fault.
func (s Status) Counterfeit() bool { return s == SAMDenies || s == BadMAC }

// Broken reports whether the module itself does not work.
func (s Status) Broken() bool { return s == SelfTest || s == Unlicensed || s == Unauthorised }
