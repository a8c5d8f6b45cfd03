package fakemodem_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/telemodem/telemodem/fakemodem"
)

// What a program does to the card shows in SIM, which gives no secret away.
func TestSIMTellsWhereTheCardStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := fakemodem.NewNetwork(nil)
		defer network.Close()
		modem := network.NewModem(fakemodem.Plain, fakemodem.WithPIN("4711"))
		u := newTerminal(t, modem)
		status := modem.SIM()
		require.Equal(t, "SIM PIN", status.State)
		require.True(t, status.Locked)
		require.Equal(t, [2]int{3, 10}, [2]int{status.PINLeft, status.PUKLeft})
		require.Len(t, status.ICCID, 19, "18 digits and the check digit")

		u.ask("AT+CPIN=1111")
		require.Equal(t, 2, modem.SIM().PINLeft)
		u.ask("AT+CPIN=4711")
		require.Equal(t, "READY", modem.SIM().State)
		require.Equal(t, 3, modem.SIM().PINLeft)
		require.NotContains(t, fmt.Sprint(modem.SIM()), "4711")

		modem.RemoveSIM()
		require.Equal(t, fakemodem.SIMStatus{State: "NOT INSERTED", Locked: true, PINLeft: 3, PUKLeft: 10}, modem.SIM())
		modem.InsertSIM()
		require.Equal(t, "SIM PIN", modem.SIM().State)
		for range 3 {
			u.ask("AT+CPIN=1111")
		}
		require.Equal(t, "SIM PUK", modem.SIM().State)
		for range 10 {
			u.ask("AT+CPIN=00000000,1234")
		}
		require.Equal(t, "SIM FAILURE", modem.SIM().State)
		modem.PowerOff()
		require.Equal(t, "SIM FAILURE", modem.SIM().State, "a card keeps it without power")
	})
}
