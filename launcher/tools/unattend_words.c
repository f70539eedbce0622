/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unattend: the host's words in Windows's; see unattend.h. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/tools/unattend.h"

/* Microsoft's keys to install an edition by, for all; they activate nothing. */
static const struct {
	const char *name, *key;
} editions[] = {
	{ "home", "YTMG3-N6DKC-DKB77-7M9GH-8HVX7" },	    { "pro", "VK7JG-NPHTM-C97JM-9MPGT-3V66T" },
	{ "education", "YNMGQ-8RYV3-4PGQ3-C8XTP-7CFBY" },   { "enterprise", "XGVPP-NMH47-7TTHJ-W3FW7-8HV2C" },
	{ "workstations", "DXG7C-N36C4-C4HTG-X4T3X-2YV77" }, { "pro-education", "8PTT6-RNW4C-6V7J2-C2D3X-MHBPB" },
};

/* CLDR's windowsZones, for the zones that most people live in. */
static const struct {
	const char *zone, *windows;
} zones[] = {
	{ "Etc/UTC", "UTC" }, { "UTC", "UTC" }, { "Etc/GMT", "UTC" },
	{ "Europe/London", "GMT Standard Time" }, { "Europe/Dublin", "GMT Standard Time" }, { "Europe/Lisbon", "GMT Standard Time" },
	{ "Europe/Berlin", "W. Europe Standard Time" }, { "Europe/Vienna", "W. Europe Standard Time" }, { "Europe/Zurich", "W. Europe Standard Time" },
	{ "Europe/Amsterdam", "W. Europe Standard Time" }, { "Europe/Rome", "W. Europe Standard Time" }, { "Europe/Stockholm", "W. Europe Standard Time" },
	{ "Europe/Oslo", "W. Europe Standard Time" }, { "Europe/Paris", "Romance Standard Time" }, { "Europe/Madrid", "Romance Standard Time" },
	{ "Europe/Brussels", "Romance Standard Time" }, { "Europe/Copenhagen", "Romance Standard Time" },
	{ "Europe/Prague", "Central Europe Standard Time" }, { "Europe/Budapest", "Central Europe Standard Time" },
	{ "Europe/Belgrade", "Central Europe Standard Time" }, { "Europe/Warsaw", "Central European Standard Time" },
	{ "Europe/Zagreb", "Central European Standard Time" }, { "Europe/Athens", "GTB Standard Time" }, { "Europe/Bucharest", "GTB Standard Time" },
	{ "Europe/Helsinki", "FLE Standard Time" }, { "Europe/Kiev", "FLE Standard Time" }, { "Europe/Kyiv", "FLE Standard Time" },
	{ "Europe/Istanbul", "Turkey Standard Time" }, { "Europe/Moscow", "Russian Standard Time" },
	{ "America/New_York", "Eastern Standard Time" }, { "America/Toronto", "Eastern Standard Time" }, { "America/Chicago", "Central Standard Time" },
	{ "America/Denver", "Mountain Standard Time" }, { "America/Phoenix", "US Mountain Standard Time" },
	{ "America/Los_Angeles", "Pacific Standard Time" }, { "America/Vancouver", "Pacific Standard Time" },
	{ "America/Mexico_City", "Central Standard Time (Mexico)" }, { "America/Bogota", "SA Pacific Standard Time" }, { "America/Lima", "SA Pacific Standard Time" },
	{ "America/Caracas", "Venezuela Standard Time" }, { "America/Santiago", "Pacific SA Standard Time" },
	{ "America/Sao_Paulo", "E. South America Standard Time" }, { "America/Bahia", "Bahia Standard Time" }, { "America/Fortaleza", "SA Eastern Standard Time" },
	{ "America/Recife", "SA Eastern Standard Time" }, { "America/Belem", "SA Eastern Standard Time" }, { "America/Manaus", "SA Western Standard Time" },
	{ "America/Cuiaba", "Central Brazilian Standard Time" }, { "America/Argentina/Buenos_Aires", "Argentina Standard Time" },
	{ "Africa/Cairo", "Egypt Standard Time" }, { "Africa/Lagos", "W. Central Africa Standard Time" }, { "Africa/Johannesburg", "South Africa Standard Time" },
	{ "Asia/Jerusalem", "Israel Standard Time" }, { "Asia/Riyadh", "Arab Standard Time" }, { "Asia/Tehran", "Iran Standard Time" },
	{ "Asia/Dubai", "Arabian Standard Time" }, { "Asia/Karachi", "Pakistan Standard Time" }, { "Asia/Kolkata", "India Standard Time" },
	{ "Asia/Calcutta", "India Standard Time" }, { "Asia/Dhaka", "Bangladesh Standard Time" }, { "Asia/Bangkok", "SE Asia Standard Time" },
	{ "Asia/Jakarta", "SE Asia Standard Time" }, { "Asia/Ho_Chi_Minh", "SE Asia Standard Time" }, { "Asia/Shanghai", "China Standard Time" },
	{ "Asia/Hong_Kong", "China Standard Time" }, { "Asia/Singapore", "Singapore Standard Time" }, { "Asia/Taipei", "Taipei Standard Time" },
	{ "Asia/Tokyo", "Tokyo Standard Time" }, { "Asia/Seoul", "Korea Standard Time" }, { "Australia/Perth", "W. Australia Standard Time" },
	{ "Australia/Brisbane", "E. Australia Standard Time" }, { "Australia/Sydney", "AUS Eastern Standard Time" },
	{ "Australia/Melbourne", "AUS Eastern Standard Time" }, { "Pacific/Auckland", "New Zealand Standard Time" },
};

/* XKB's layouts, in Windows's: language and layout ("Keyboard identifiers and input method editors for Windows"). */
static const struct {
	const char *layout, *windows;
} layouts[] = {
	{ "us", "0409:00000409" }, { "gb", "0809:00000809" }, { "br", "0416:00010416" }, { "pt", "0816:00000816" }, { "de", "0407:00000407" },
	{ "at", "0c07:00000407" }, { "ch", "0807:00000807" }, { "fr", "040c:0000040c" }, { "be", "080c:0000080c" }, { "es", "0c0a:0000040a" },
	{ "latam", "080a:0000080a" }, { "it", "0410:00000410" }, { "nl", "0413:00020409" }, { "dk", "0406:00000406" }, { "no", "0414:00000414" },
	{ "se", "041d:0000041d" }, { "fi", "040b:0000040b" }, { "pl", "0415:00000415" }, { "cz", "0405:00000405" }, { "sk", "041b:0000041b" },
	{ "hu", "040e:0000040e" }, { "ro", "0418:00010418" }, { "gr", "0408:00000408" }, { "tr", "041f:0000041f" }, { "ru", "0419:00000419" },
	{ "ua", "0422:00020422" }, { "jp", "0411:{03B5835F-F03C-411B-9CE2-AA23E1171E36}{A76C93D9-5523-4E90-AAFA-4DB112F9AC76}" },
};

const char *unattend_edition(const char *name, struct strv *ret_names)
{
	for (size_t i = 0; i < ARRAY_SIZE(editions); i++)
		if (streq(editions[i].name, name))
			return editions[i].key;
	for (size_t i = 0; ret_names && i < ARRAY_SIZE(editions); i++)
		strv_add(ret_names, editions[i].name);
	return NULL;
}

const char *unattend_zone(const char *zone)
{
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++)
		if (streq(zones[i].zone, zone))
			return zones[i].windows;
	return NULL;
}

const char *unattend_keyboard(const char *layout)
{
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		if (streq(layouts[i].layout, layout))
			return layouts[i].windows;
	return NULL;
}

static bool is_alpha2(const char *s)
{
	return isalpha((unsigned char)s[0]) && isalpha((unsigned char)s[1]);
}

static char *locale_of(const char *two, const char *country)
{
	return str_fmt("%c%c-%c%c", tolower((unsigned char)two[0]), tolower((unsigned char)two[1]), toupper((unsigned char)country[0]),
		       toupper((unsigned char)country[1]));
}

char *unattend_locale(const char *lang)
{
	bool named =
		lang && strlen(lang) >= 5 && is_alpha2(lang) && lang[2] == '_' && is_alpha2(lang + 3) && !isalpha((unsigned char)lang[5]);
	return named ? locale_of(lang, lang + 3) : str_dup("en-US");
}

char *unattend_disc_language(const char *label)
{
	for (const char *at = strchr(label, '_'); at; at = strchr(at + 1, '_'))
		if (strlen(at) >= 6 && is_alpha2(at + 1) && at[3] == '-' && is_alpha2(at + 4) && (at[6] == '_' || !at[6]))
			return locale_of(at + 1, at + 4);
	return str_dup("en-US");
}

char *unattend_computer(const char *vm)
{
	char name[16] = "";
	size_t n = 0;
	for (const char *c = vm; *c && n < sizeof(name) - 1; c++)
		if (isalnum((unsigned char)*c) || (n && (*c == '-' || *c == '_')))
			name[n++] = *c == '_' ? '-' : *c;
	while (n && name[n - 1] == '-')
		name[--n] = '\0';
	bool letters = name[strspn(name, "0123456789-")];
	return letters ? str_dup(name) : str_fmt("pc-%.12s", name);
}

struct err *unattend_check_account(const char *name, const char *computer)
{
	static const char *const taken[] = { "administrator", "guest", "defaultaccount", "wdagutilityaccount", "system", "none" };
	bool bad = !*name || strlen(name) > 20 || name[strcspn(name, "\"/\\[]:;|=,+*?<>@%")] || !str_is_utf8(name) ||
		   name[strspn(name, ". ")] == '\0' || str_ends(name, ".") || strcasecmp(name, computer) == 0;
	for (const char *c = name; *c; c++)
		bad |= (unsigned char)*c < ' ' || *c == 0x7f;
	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		bad |= strcasecmp(name, taken[i]) == 0;
	cleanup_free char *shown = str_printable(name);
	return bad ? err_exit(err_hint(err_new("Windows takes no account \"%s\" on a computer %s", shown, computer), "--account NAME"),
			      EXIT_USAGE)
		   : NULL;
}
