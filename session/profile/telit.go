package profile

import (
	"time"

	"github.com/telemodem/telemodem/gprs"
	"github.com/telemodem/telemodem/gprs/socket"
)

// Telit is Telit's LE910, ME910, HE910 and GL865. Sources: ModemManager
// plugins/telit; oFono plugins/telit.c and he910.c; zephyr modem_cellular.c.
var Telit = &Profile{
	Name:       "Telit",
	Identities: []string{"Telit", "LE910", "ME910", "HE910", "GL865"},
	Notifications: rules("#QSS", "#PSNT", "+CIEV", "SRING",
		"+CTZV", "+CGEV", "RING", "+CRING", "+CLIP"), // oFono plugins/telit.c
	BootTime: 8 * time.Second,       // #REBOOT
	Pacing:   20 * time.Millisecond, // LE910C AT Commands Reference Guide clause 2.2.5
	Setup:    []string{"#QSS=2"},    // oFono: the SIM is ready at #QSS: 3, later than +CPIN says
	RadioOff: "+CFUN=4", RadioOn: "+CFUN=1",
	Restart: "#REBOOT",
	Multiplexer: &Multiplexer{
		Command:        fullMux, // zephyr, ME910
		FrameSize:      127,
		Settle:         time.Second, // zephyr, LE910C1
		CommandChannel: 1,
		DataChannel:    2,
	},
	Sockets: socket.Telit,
	Data:    gprs.Quirks{Tries: gprs.TriesTelit}, // ModemManager plugins/telit
}
