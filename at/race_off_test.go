//go:build !race

package at

const raceEnabled = false
