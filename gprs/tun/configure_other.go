//go:build !linux

package tun

import (
	"errors"

	"golang.zx2c4.com/wireguard/tun"

	"github.com/telemodem/telemodem/gprs/ppp"
)

const canConfigure = false

// createDevice makes the interface.
func createDevice(name string, mtu int) (tun.Device, error) { return tun.CreateTUN(name, mtu) }

// configure is never reached: New refuses before.
func configure(string, ppp.Link, *Config) error { return errors.ErrUnsupported }
