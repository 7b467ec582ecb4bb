package central

// The commands of the centre. A box that does not know a name refuses the message.
const (
	CommandRestart    = "restart"     // the program ends, and its service manager starts it again
	CommandAnnounce   = "announce"    // body: announcements, which replace those before
	CommandPromote    = "promote"     // a stand-in takes the place of its hall's host
	CommandTestTicket = "test-ticket" // body: TestTicket
)

// A TestTicket is the body of CommandTestTicket.
type TestTicket struct {
	Printer string `json:"printer"`
}
