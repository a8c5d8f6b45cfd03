//go:build !race

package gprs_test

const raceEnabled = false
