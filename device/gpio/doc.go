// Package gpio works the pins of a board computer: push buttons, door and
// presence switches, lamps, buzzers, and lines whose edges must not be lost.
//
// periph finds the chips and names the pins; requests to the kernel are made
// here, by the GPIO character device's second interface (Linux 5.10 and newer),
// because periph offers no debounce, no timestamps and no sequence numbers,
// sets a new output low before its first level, and turns an output into an
// input when it is read. Buttons, switches, lamps and buzzers take any periph
// pin, so those of an expander or of a test do as well.
//
//	ioctl                          number      used for
//	GPIO_GET_CHIPINFO_IOCTL        0x8044B401  is this still the chip that was found?
//	GPIO_V2_GET_LINE_IOCTL         0xC250B407  Pin.In, Pin.Out, Watch
//	GPIO_V2_LINE_GET_VALUES_IOCTL  0xC010B40E  Pin.Read
//	GPIO_V2_LINE_SET_VALUES_IOCTL  0xC010B40F  Pin.Out again
//
// An event is 48 bytes in the machine's byte order: timestamp in ns (8), edge 1
// rising 2 falling (4), offset (4), sequence number of the request (4) and of
// the line (4), 24 unused. Source: linux/gpio.h and
// docs.kernel.org/userspace-api/gpio/chardev.html.
//
// It does not know what a button is for or when a lamp should shine. A pin
// drives no lamp by itself: use a transistor or a relay.
package gpio
