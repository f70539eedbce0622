// SPDX-License-Identifier: GPL-2.0-or-later
// A full battery and a plugged-in adapter, for drivers that refuse to work in a laptop without: iasl makes battery.c's bytes of it.
DefinitionBlock ("", "SSDT", 1, "QLNCH", "BATTERY", 1)
{
	Scope (\_SB)
	{
		Device (ADP0)
		{
			Name (_HID, "ACPI0003")
			Method (_PSR, 0, NotSerialized) { Return (One) }
			Name (_PCL, Package (0x01) { \_SB })
			Method (_STA, 0, NotSerialized) { Return (0x0F) }
		}
		Device (BAT0)
		{
			Name (_HID, EisaId ("PNP0C0A"))
			Name (_UID, Zero)
			Name (_PCL, Package (0x01) { \_SB })
			Method (_STA, 0, NotSerialized) { Return (0x1F) }
			Method (_BIF, 0, NotSerialized)
			{
				Return (Package (0x0D) { One, 0x1770, 0x1770, One, 0x39D0, 0x0258, 0x012C, 0x3C, 0x3C, "qlaunch", "1", "LION", "qlaunch" })
			}
			Method (_BST, 0, NotSerialized)
			{
				Return (Package (0x04) { Zero, Zero, 0x1770, 0x39D0 })
			}
		}
	}
}
