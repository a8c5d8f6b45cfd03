package port

import (
	"cmp"
	"slices"
	"strings"
)

// sortByName sorts ports so that ttyUSB10 comes behind ttyUSB9.
func sortByName(ports []Info) {
	slices.SortFunc(ports, func(a, b Info) int {
		stemA, stemB := strings.TrimRight(a.Name, "0123456789"), strings.TrimRight(b.Name, "0123456789")
		if stemA != stemB {
			return cmp.Compare(stemA, stemB)
		}
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
}
