package profile_test

import (
	"fmt"

	"github.com/telemodem/telemodem/session/profile"
)

func ExampleFind() {
	p := profile.Find("Quectel", "BG95-M5") // what +CGMI and +CGMM said
	fmt.Println(p.Name, p.BootTime, p.Data.Tries.Command)
	fmt.Println(profile.Find("Acme", "9000").Name)
	// Output:
	// BG9x 8s +QPINC?
	// standard
}

// A machine whose modem is wired so that messages must stay on the SIM.
func Example_ownProfile() {
	mine := *profile.EC25
	mine.SMS.Storages = []string{"SM"}
	mine.Setup = append([]string{`+QURCCFG="urcport","uart1"`}, mine.Setup...)
	fmt.Println(mine.SMS.Storages, profile.EC25.SMS.Storages)
	// Output: [SM] [ME SM]
}
