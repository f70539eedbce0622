/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unattend: see unattend.h. The file, pass by pass. */
#include <libxml/xmlwriter.h>
#include <stdlib.h>
#include "launcher/base/late.h"
#include "launcher/base/libxml2.h"
#include "launcher/tools/unattend.h"

#define XML_FUNCTIONS(X) \
	X(xmlBufferCreate) X(xmlBufferFree) X(xmlBufferContent) X(xmlNewTextWriterMemory) X(xmlFreeTextWriter) X(xmlTextWriterSetIndent) \
	X(xmlTextWriterStartDocument) X(xmlTextWriterEndDocument) X(xmlTextWriterStartElement) X(xmlTextWriterEndElement) \
	X(xmlTextWriterWriteAttribute) X(xmlTextWriterWriteElement)

#define WCM "http://schemas.microsoft.com/WMIConfig/2002/State"
#define NUMBER(n) ((const char[]){ (char)('0' + (n) / 10), (char)('0' + (n) % 10), '\0' } + ((n) < 10))

static struct LATE_TABLE(XML_FUNCTIONS) xml;

/* ---- the writer ---- */

struct writing {
	xmlTextWriterPtr w;
	const struct unattend *u;
	bool failed; /* a text that XML cannot hold */
};

static void note(struct writing *x, int r)
{
	x->failed |= r < 0;
}

static void attribute(struct writing *x, const char *name, const char *value)
{
	note(x, xml.xmlTextWriterWriteAttribute(x->w, BAD_CAST name, BAD_CAST value));
}

static void open_element(struct writing *x, const char *name)
{
	note(x, xml.xmlTextWriterStartElement(x->w, BAD_CAST name));
}

/* An element of a list: Setup wants to be told that it is one more. */
static void open_item(struct writing *x, const char *name)
{
	open_element(x, name);
	attribute(x, "wcm:action", "add");
}

static void close_element(struct writing *x)
{
	note(x, xml.xmlTextWriterEndElement(x->w));
}

static void leaf(struct writing *x, const char *name, const char *value)
{
	note(x, xml.xmlTextWriterWriteElement(x->w, BAD_CAST name, BAD_CAST value));
}

static void open_pass(struct writing *x, const char *pass)
{
	open_element(x, "settings");
	attribute(x, "pass", pass);
}

static void open_component(struct writing *x, const char *name)
{
	open_element(x, "component");
	attribute(x, "name", name);
	attribute(x, "processorArchitecture", "amd64");
	attribute(x, "publicKeyToken", "31bf3856ad364e35");
	attribute(x, "language", "neutral");
	attribute(x, "versionScope", "nonSxS");
}

/* ---- windowsPE: before anything is on the disk ---- */

static void international(struct writing *x, const char *component, bool setup)
{
	open_component(x, component);
	if (setup) {
		open_element(x, "SetupUILanguage");
		leaf(x, "UILanguage", x->u->language);
		close_element(x);
	}
	leaf(x, "InputLocale", x->u->keyboard);
	leaf(x, "SystemLocale", x->u->locale);
	leaf(x, "UILanguage", x->u->language);
	leaf(x, "UserLocale", x->u->locale);
	close_element(x);
}

/* Which letter Setup gives the disc of drivers depends on what else is there; a folder that is not is passed over. They are put into the
 * system that is installed, too. */
static void drivers(struct writing *x)
{
	static const char *const kinds[] = { "viostor", "vioscsi", "NetKVM" };
	unsigned n = 0;
	open_component(x, "Microsoft-Windows-PnpCustomizationsWinPE");
	open_element(x, "DriverPaths");
	for (int letter = 'D'; letter <= 'H'; letter++)
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			cleanup_free char *path = str_fmt("%c:\\%s\\w%u\\amd64", letter, kinds[i], x->u->release);
			n++;
			open_item(x, "PathAndCredentials");
			attribute(x, "wcm:keyValue", NUMBER(n));
			leaf(x, "Path", path);
			close_element(x);
		}
	close_element(x);
	close_element(x);
}

/* The EFI system partition, Microsoft's reserved one, and the rest: the layout of Microsoft's guide for UEFI, its recovery in Windows's own. */
static void disk(struct writing *x)
{
	static const struct {
		const char *type, *size, *format, *label, *letter; /* size in MB; NULL: the rest */
	} parts[] = {
		{ "EFI", "300", "FAT32", "System", NULL },
		{ "MSR", "16", NULL, NULL, NULL },
		{ "Primary", NULL, "NTFS", "Windows", "C" },
	};
	open_element(x, "DiskConfiguration");
	leaf(x, "WillShowUI", "OnError");
	open_item(x, "Disk");
	leaf(x, "DiskID", "0");
	leaf(x, "WillWipeDisk", "true");
	open_element(x, "CreatePartitions");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		open_item(x, "CreatePartition");
		leaf(x, "Order", NUMBER((int)i + 1));
		leaf(x, "Type", parts[i].type);
		leaf(x, parts[i].size ? "Size" : "Extend", parts[i].size ? parts[i].size : "true");
		close_element(x);
	}
	close_element(x);
	open_element(x, "ModifyPartitions");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		open_item(x, "ModifyPartition");
		leaf(x, "Order", NUMBER((int)i + 1));
		leaf(x, "PartitionID", NUMBER((int)i + 1));
		if (parts[i].format) {
			leaf(x, "Format", parts[i].format);
			leaf(x, "Label", parts[i].label);
		}
		if (parts[i].letter)
			leaf(x, "Letter", parts[i].letter);
		close_element(x);
	}
	close_element(x);
	close_element(x);
	close_element(x);
}

static void setup(struct writing *x)
{
	open_component(x, "Microsoft-Windows-Setup");
	disk(x);
	open_element(x, "ImageInstall");
	open_element(x, "OSImage");
	open_element(x, "InstallTo");
	leaf(x, "DiskID", "0");
	leaf(x, "PartitionID", "3");
	close_element(x);
	leaf(x, "WillShowUI", "OnError");
	close_element(x);
	close_element(x);
	open_element(x, "UserData");
	leaf(x, "AcceptEula", "true");
	leaf(x, "FullName", x->u->account);
	open_element(x, "ProductKey");
	leaf(x, "Key", x->u->key);
	leaf(x, "WillShowUI", "OnError");
	close_element(x);
	close_element(x);
	close_element(x);
}

/* ---- the system that is there by then ---- */

static void specialize(struct writing *x)
{
	open_component(x, "Microsoft-Windows-Shell-Setup");
	leaf(x, "ComputerName", x->u->computer);
	if (x->u->zone)
		leaf(x, "TimeZone", x->u->zone);
	close_element(x);
}

static void password(struct writing *x)
{
	open_element(x, "Password");
	leaf(x, "Value", x->u->password);
	leaf(x, "PlainText", "true");
	close_element(x);
}

static void account(struct writing *x)
{
	open_element(x, "UserAccounts");
	open_element(x, "LocalAccounts");
	open_item(x, "LocalAccount");
	password(x);
	leaf(x, "DisplayName", x->u->account);
	leaf(x, "Group", "Administrators");
	leaf(x, "Name", x->u->account);
	close_element(x);
	close_element(x);
	close_element(x);
	open_element(x, "AutoLogon"); /* once, for what is done at the first logon */
	password(x);
	leaf(x, "Enabled", "true");
	leaf(x, "LogonCount", "1");
	leaf(x, "Username", x->u->account);
	close_element(x);
}

static void oobe(struct writing *x)
{
	open_component(x, "Microsoft-Windows-Shell-Setup");
	open_element(x, "OOBE");
	leaf(x, "HideEULAPage", "true");
	leaf(x, "HideOnlineAccountScreens", "true");
	leaf(x, "HideWirelessSetupInOOBE", "true");
	leaf(x, "ProtectYourPC", "3"); /* the settings that send the least */
	close_element(x);
	account(x);
	open_element(x, "FirstLogonCommands");
	open_item(x, "SynchronousCommand");
	leaf(x, "Order", "1");
	leaf(x, "Description", "virtio-win-guest-tools");
	leaf(x, "CommandLine",
	     "cmd /c for %d in (D E F G H) do if exist %d:\\virtio-win-guest-tools.exe %d:\\virtio-win-guest-tools.exe /install /quiet /norestart");
	close_element(x);
	close_element(x);
	close_element(x);
}

static void document(struct writing *x)
{
	note(x, xml.xmlTextWriterStartDocument(x->w, "1.0", "utf-8", NULL));
	open_element(x, "unattend");
	attribute(x, "xmlns", "urn:schemas-microsoft-com:unattend");
	attribute(x, "xmlns:wcm", WCM);
	open_pass(x, "windowsPE");
	international(x, "Microsoft-Windows-International-Core-WinPE", true);
	drivers(x);
	setup(x);
	close_element(x);
	open_pass(x, "specialize");
	specialize(x);
	close_element(x);
	open_pass(x, "oobeSystem");
	international(x, "Microsoft-Windows-International-Core", false);
	oobe(x);
	close_element(x);
	note(x, xml.xmlTextWriterEndDocument(x->w));
}

struct err *unattend_text(const struct unattend *u, char **ret_text)
{
	static const char *const names[] = LATE_NAMES(XML_FUNCTIONS);
	TRY(late_load(LIBXML2, names, &xml));
	xmlBufferPtr buffer = xml.xmlBufferCreate();
	struct writing x = { .u = u, .w = buffer ? xml.xmlNewTextWriterMemory(buffer, 0) : NULL };
	if (x.w) {
		xml.xmlTextWriterSetIndent(x.w, 1);
		document(&x);
		xml.xmlFreeTextWriter(x.w);
	}
	struct err *e = !x.w || x.failed ? err_new("the answers do not come to XML") : NULL;
	if (!e)
		*ret_text = str_dup((const char *)xml.xmlBufferContent(buffer));
	xml.xmlBufferFree(buffer);
	return e;
}
