package profile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What modems said to +CGMI and +CGMM, by maker and model.
func TestFindRealIdentifications(t *testing.T) {
	for _, c := range []struct {
		name, manufacturer, model string
		want                      *Profile
	}{
		{"SIMCom SIM800H", "SIMCOM_Ltd", "SIMCOM_SIM800H", SIM800},
		{"SIMCom SIM900", "SIMCOM_Ltd", "SIMCOM_SIM900", SIM800},
		{"SIMCom SIM868, by its maker", "SIMCOM_Ltd", "SIMCOM_SIM868", SIM800},
		{"SIMCom SIM7600G-H", "SIMCOM INCORPORATED", "SIMCOM_SIM7600G-H", SIM7600},
		{"SIMCom SIM7600 behind Qualcomm's name", "QUALCOMM INCORPORATED", "SIMCOM_SIM7600G-H", SIM7600},
		{"SIMCom SIM7080G", "SIMCOM INCORPORATED", "SIMCOM_SIM7080G", SIM7000},
		{"SIMCom SIM7000E", "SIMCOM_Ltd", "SIMCOM_SIM7000E", SIM7000},
		{"SIMCom SIM5360E", "SIMCOM INCORPORATED", "SIMCOM_SIM5360E", SIM5360},
		{"SIMCom A7672E-FASE", "INCORPORATED", "A7672E-FASE", A76xx},
		{"Quectel M95", "Quectel_Ltd", "Quectel_M95", M95},
		{"Quectel MC60", "Quectel_Ltd", "Quectel_MC60", M95},
		{"Quectel UC15", "Quectel", "UC15", M95},
		{"Quectel EC25", "Quectel", "EC25", EC25},
		{"Quectel EG25", "Quectel", "EG25", EC25},
		{"Quectel RM500Q, by its maker", "Quectel", "RM500Q-GL", EC25},
		{"Quectel EG800Q", "Quectel", "EG800Q-EU", EG800Q},
		{"Quectel BG96", "Quectel", "BG96", BG9x},
		{"Quectel BG95-M5", "Quectel", "BG95-M5", BG9x},
		{"u-blox SARA-U201", "u-blox", "SARA-U201", SARAU2},
		{"u-blox SARA-R410M-02B", "u-blox", "SARA-R410M-02B", SARAR4},
		{"u-blox SARA-R422M8S", "u-blox", "SARA-R422M8S", SARAR422},
		{"u-blox SARA-R510S", "u-blox", "SARA-R510S", SARAR5},
		{"u-blox LARA-R6001", "u-blox", "LARA-R6001", LARAR6},
		{"u-blox LENA-R8001", "u-blox", "LENA-R8001", LENAR8},
		{"Huawei E173", "huawei", "E173", Huawei},
		{"Huawei ME909u-521", "huawei", "ME909u-521", Huawei},
		{"Huawei E3372", "Huawei Technologies Co., Ltd.", "E3372", E3372},
		{"Telit LE910C1-EU", "Telit", "LE910C1-EU", Telit},
		{"Telit HE910", "Telit", "HE910", Telit},
		{"Sierra MC7354", "Sierra Wireless, Incorporated", "MC7354", Sierra},
		{"Sierra EM7455B", "Sierra Wireless, Incorporated", "EM7455B", Sierra},
		{"Sierra HL7800", "Sierra Wireless", "HL7800", HL78xx},
		{"Cinterion EHS6", "Cinterion", "EHS6", Cinterion},
		{"Siemens MC55", "SIEMENS", "MC55", Cinterion},
		{"ZTE ZM9000", "ZTE CORPORATION", "ZM9000", ZTE},
		{"ZTE MF180", "ZTE INCORPORATED", "MF180", ZTE},
		{"Nordic nRF9160", "Nordic Semiconductor ASA", "nRF9160-SICA", NRF91},
		{"Huawei EC121", "HUAWEI INCORPORATED", "EC121", CDMA},
		{"Huawei EC169", "HUAWEI TECHNOLOGIES CO.", "EC169", CDMA},
		{"C-motech CDX-650", "C-MOTECH Co., Ltd.", "CDX-650 ", CDMA},
		{"Audiovox PC5740", "Audiovox Communications Corp.", "PC5740", CDMA},
		{"Sierra MC5725", "Sierra Wireless, Inc.", "MC5725 Rev 2.0 (2)", CDMA},
		{"in quotes", `"Quectel"`, `"BG96"`, BG9x},
		{"only the maker answered", "u-blox", "", SARAR5},
		{"nobody knows it", "Acme", "Modem 9000", Standard},
		{"nothing answered", "", "", Standard},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want.Name, Find(c.manufacturer, c.model).Name)
		})
	}
}

func TestFindIgnoresCase(t *testing.T) {
	require.Same(t, EC25, Find("QUECTEL", "ec25"))
}
