/* SPDX-License-Identifier: GPL-2.0-or-later */
/* propose: see propose.h. First the choices, then the text. */
#include <stdlib.h>
#include "launcher/advise/propose.h"
#include "launcher/host/cpu/cpu_plan.h"

#define VENDOR_NVIDIA 0x10de
#define GIB (UINT64_C(1) << 30)
#define DISK_SIZE (100 * GIB) /* Windows 11 asks for 64 GB; a game or two beside it. A qcow2 image grows as it is used */

/* ---- choices ---- */

static void set_gpu(struct proposal *p, const struct survey *s, const struct pci_function *gpu)
{
	p->gpu = gpu;
	p->release = gpu && gpu == p->host_gpu;
	p->gpu_audio = gpu ? groups_audio(&s->groups, gpu) : NULL;
}

/*
 * The first card that the host does not need. Never what is part of the processor while there is a card: where the host's screen is on that
 * one, it is proposed all the same if the processor could show the host. The only graphics of a host go where somebody says so.
 */
static const struct pci_function *choose_gpu(const struct survey *s, const struct proposal *p)
{
	const struct groups *g = &s->groups;
	if (p->n_gpus && groups_is_card(g, p->gpus[0]))
		return p->gpus[0];
	if (groups_other_screen(g))
		return groups_can_release(g) ? g->host_gpu : NULL;
	return NULL;
}

static void choose_gpus(const struct survey *s, struct proposal *p)
{
	const struct groups *g = &s->groups;
	p->n_gpus = groups_free_gpus(g, &p->gpus);
	for (size_t i = 0; !g->iommu && i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		if (!groups_is_card(g, fn) || fn == g->host_gpu)
			continue;
		p->gpus = mem_grow(p->gpus, p->n_gpus, sizeof(const struct pci_function *));
		p->gpus[p->n_gpus++] = fn;
	}
	p->host_gpu = g->host_gpu;
	set_gpu(p, s, choose_gpu(s, p));
}

struct err *propose_gpu(struct proposal *p, const struct survey *s, const char *wanted)
{
	const struct groups *g = &s->groups;
	const struct pci_function *found = NULL;
	struct pci_addr addr;
	if (!streq(wanted, "none")) {
		TRY(err_exit(pci_addr_parse(wanted, &addr), EXIT_USAGE));
		for (size_t i = 0; i < g->n_functions; i++)
			if (pci_addr_equal(g->functions[i].addr, addr) && pci_is_gpu(&g->functions[i]))
				found = &g->functions[i];
		if (!found)
			return err_exit(err_hint(err_new("%s is no graphics card of this host", wanted), "qlaunch groups"), EXIT_USAGE);
	}
	set_gpu(p, s, found);
	p->threads = cpu_plan_threads(&s->cpu, found ? found->numa_node : -1);
	p->hugepages = propose_hugepages(s, p);
	return NULL;
}

bool propose_service(const struct proposal *p)
{
	return p->release;
}

/* Half of what is built in; the kernel tells a little less than that. */
static uint64_t choose_memory(const struct memory_facts *m)
{
	uint64_t step = m->total > 8 * GIB ? 2 * GIB : GIB / 2;
	uint64_t installed = (m->total + step - 1) / step * step, half = installed / 2 / step * step;
	return half > GIB ? half : GIB;
}

enum hugepages propose_hugepages(const struct survey *s, const struct proposal *p)
{
	static const struct {
		int size;
		enum hugepages value;
	} sizes[] = { { MEMORY_1G, HUGEPAGES_1G }, { MEMORY_2M, HUGEPAGES_2M } };
	const struct memory_facts *m = &s->memory;
	uint64_t left = m->available > 2 * GIB ? m->available - 2 * GIB : 0; /* for the host's programs */
	for (size_t i = 0; p->gpu && p->memory <= left && i < ARRAY_SIZE(sizes); i++)
		for (size_t n = 0; n < m->n_nodes; n++)
			if (m->nodes[n].huge[sizes[i].size].there && p->memory <= m->nodes[n].free &&
			    p->memory % (sizes[i].value == HUGEPAGES_1G ? GIB : GIB / 512) == 0)
				return sizes[i].value;
	return HUGEPAGES_TRANSPARENT;
}

static char *choose_input(const struct survey *s, enum input_is is)
{
	const struct input_device *d = input_choose(&s->inputs, is);
	return d ? str_dup(input_path(d)) : NULL;
}

void propose(const char *name, const struct survey *s, struct proposal *ret_proposal)
{
	struct proposal p = { .name = str_dup(name), .disk_size = DISK_SIZE };
	choose_gpus(s, &p);
	p.threads = cpu_plan_threads(&s->cpu, p.gpu ? p.gpu->numa_node : -1);
	p.memory = choose_memory(&s->memory);
	p.hugepages = propose_hugepages(s, &p);
	p.secure_boot = s->secure.code || !s->plain.code;
	p.tpm = s->swtpm;
	p.kvm = !s->cpu.kvm_problem;
	p.disk = str_fmt("%s/qlaunch/%s/disk.qcow2", s->user.data_dir, name);
	p.keyboard = choose_input(s, INPUT_KEYBOARD);
	p.mouse = choose_input(s, INPUT_MOUSE);
	p.display = qemu_has(&s->qemu, "display:gtk") || qemu_has(&s->qemu, "display:sdl") ? "window" : "spice";
	*ret_proposal = p;
}

void propose_for(struct proposal *p, struct identity *os)
{
	identity_free(&p->os);
	p->os = *os;
	*os = (struct identity){};
}

/* What it is made for: Windows 11, unless a disc says otherwise. */
static const struct guest_system *made_for(const struct proposal *p)
{
	return p->os.system ? p->os.system : identify_system("win11", &p->os.disc, "");
}

void proposal_free(struct proposal *p)
{
	free(p->name);
	free(p->gpus);
	free(p->disk);
	identity_free(&p->os);
	free(p->keyboard);
	free(p->mouse);
	for (size_t i = 0; i < p->n_monitors; i++)
		free(p->monitors[i].match);
	free(p->monitors);
	*p = (struct proposal){};
}

/* ---- text ---- */

const char *propose_hugepages_word(enum hugepages value)
{
	static const char *const words[] = { [HUGEPAGES_OFF] = "off", [HUGEPAGES_TRANSPARENT] = "transparent",
					     [HUGEPAGES_2M] = "2M", [HUGEPAGES_1G] = "1G" };
	return words[value];
}

static void write_cpu(struct sb *out, const struct proposal *p, const struct survey *s)
{
	cleanup_free char *model = str_printable(s->cpu.model ? s->cpu.model : "this processor");
	sb_addf(out,
		"\n[cpu]\n# %s: %zu cores, %d threads, %zu L3 cache%s.\nthreads = %u\n"
		"# All below one L3 cache where they fit; `qlaunch topology %s` draws it.\nplace = auto\n"
		"# QEMU's own work gets a core beside the guest's.\nemulator = auto\n",
		model, s->cpu.n_cores, cpus_count(&s->cpu.online), s->cpu.n_l3s, s->cpu.n_l3s == 1 ? "" : "s", p->threads,
		p->name);
	if (!p->gpu || s->cgroup.obstacle)
		sb_add(out, "# The guest shares its CPUs with the host.\nisolate = off\n");
	else
		sb_add(out, "# While the guest runs, its CPUs belong to it alone.\nisolate = partition\n");
	if (made_for(p)->family == SYSTEM_WINDOWS)
		sb_add(out, "# Windows runs faster when it knows that it is a guest; Linux does not mind.\nhyperv = auto\n");
	else
		sb_add(out, "# What Windows is told of its host; others have KVM's own words.\nhyperv = off\n");
}

static void write_memory(struct sb *out, const struct proposal *p)
{
	cleanup_free char *size = size_format(p->memory);
	sb_addf(out, "\n[memory]\n# About half of the host's.\nsize = %s\n", size);
	if (p->hugepages == HUGEPAGES_TRANSPARENT)
		sb_add(out, "# Pages of 2M or 1G are faster, where so much memory is free at the start, and need root.\n");
	else
		sb_add(out, "# Taken at the start, given back at the end; `transparent` where the host has not so much to spare.\n");
	sb_addf(out, "hugepages = %s\n", propose_hugepages_word(p->hugepages));
}

static void write_tpm(struct sb *out, const struct proposal *p)
{
	if (!made_for(p)->tpm)
		sb_addf(out, "\n# %s needs none; with swtpm installed the guest has one without the two #.\n#[tpm]\n#version = 2.0\n", p->os.name);
	else if (p->tpm)
		sb_add(out, "\n[tpm]\n# Emulated; Windows 11 asks for it. Its state is kept.\nversion = 2.0\n");
	else
		sb_add(out, "\n# Windows 11 asks for a TPM: install swtpm, then take the two # away.\n#[tpm]\n#version = 2.0\n");
}

static void write_firmware(struct sb *out, const struct proposal *p)
{
	const struct guest_system *system = made_for(p);
	const char *why = !system->secure_boot ? "What that disc boots is signed by nobody whom the firmware knows."
			  : system->family == SYSTEM_WINDOWS ? "Windows 11 asks for it."
							     : "Its boot loader is signed for it; a driver that is built in the guest (NVIDIA's) has to be, too, or take `no`.";
	bool secure = system->secure_boot && p->secure_boot;
	if (!system->uefi)
		sb_addf(out, "\n[firmware]\n# %s comes from before UEFI.\ntype = bios\n", p->os.name);
	else
		sb_addf(out, "\n[firmware]\ntype = uefi\n# %s%s\nsecure-boot = %s\n", why,
			secure || !system->secure_boot ? "" : " This host has no firmware with Microsoft's keys; `qlaunch check` tells more.",
			secure ? "yes" : "no");
	write_tpm(out, p);
	if (system->clock == CLOCK_UTC)
		sb_add(out, "\n[clock]\n# Windows alone keeps local time in it.\nbase = utc\n");
}

static void write_disks(struct sb *out, const struct proposal *p)
{
	static const struct {
		const char *word, *why;
	} buses[] = {
		[BUS_NVME] = { "nvme", "nvme needs no driver in Windows; virtio is faster, and needs the one of the virtio-win ISO." },
		[BUS_VIRTIO] = { "virtio", "The fastest, and its driver is in every Linux." },
		[BUS_SATA] = { "sata", "Every system has a driver for it; nvme and virtio are faster." },
		[BUS_SCSI] = { "scsi", "" },
	};
	enum disk_bus bus = made_for(p)->bus;
	sb_addf(out,
		"\n[disk main]\n# An image that grows as it is used. A whole drive is faster: path = /dev/disk/by-id/...,\n"
		"# format = raw.\npath = %s\nformat = qcow2\n# %s\nbus = %s\n",
		p->disk, buses[bus].why, buses[bus].word);
}

static void write_network(struct sb *out, const struct proposal *p)
{
	static const char *const models[] = { [MODEL_E1000E] = "e1000e", [MODEL_RTL8139] = "rtl8139" };
	const char *model = made_for(p)->net < ARRAY_SIZE(models) ? models[made_for(p)->net] : NULL;
	sb_add(out, "\n[network lan]\n# Out to the internet, without root; nobody gets in.\nmode = user\n");
	if (model)
		sb_addf(out, "# A card that it has a driver for. With virtio-win-guest-tools in the guest virtio is faster.\nmodel = %s\n",
			model);
}

static void write_gpu(struct sb *out, const struct proposal *p, const struct survey *s)
{
	cleanup_pci_names struct pci_names *names = pci_names_new();
	if (!p->gpu) {
		sb_addf(out,
			"\n# This host has no second graphics card that it could give away: `qlaunch groups`. The only one, by stopping the\n"
			"# desktop meanwhile: `qlaunch new --gpu ADDRESS`.\n[display]\nmode = %s\n",
			p->display);
		return;
	}
	cleanup_free char *name = group_name(names, p->gpu);
	sb_addf(out, "\n[pci gpu]\n# %s.", name);
	for (size_t i = 0; i < s->groups.n_functions; i++) {
		const struct pci_function *fn = &s->groups.functions[i];
		cleanup_free char *other = fn != p->gpu && groups_with(&s->groups, p->gpu, fn) ? group_name(names, fn) : NULL;
		if (other)
			sb_addf(out, "\n# With it goes %s %s.", pci_addr_short(fn->addr).s, other);
	}
	if (propose_service(p))
		sb_add(out, "\n# It has the host's own screen: see release-console in [host].");
	else if (p->gpu == p->host_gpu)
		sb_add(out,
		       "\n# It has the host's own screen until the processor's graphics are the primary display in the firmware's setup.");
	if (!s->groups.iommu)
		sb_add(out, "\n# The IOMMU is off: `qlaunch check` tells how to switch it on. Until then it cannot start.");
	sb_addf(out,
		"\naddress = %s\n# The whole card, and everything in its IOMMU groups: the hardware hands over a group as a whole.\n"
		"functions = group\n",
		pci_addr_short(p->gpu->addr).s);
	if (s->battery)
		sb_add(out,
		       "# A laptop's card has no ROM of its own; where its driver in the guest misses it, `qlaunch check` finds the firmware's.\n"
		       "#rom = host\n");
	if (p->gpu_audio)
		sb_addf(out, "\n[pci gpu-audio]\n# Its sound, a device of its own behind the card's switch.\naddress = %s\n",
			pci_addr_short(p->gpu_audio->addr).s);
	if (pci_has_outputs(p->gpu))
		sb_add(out, "\n[display]\n# The picture comes out of that card.\nmode = none\n");
	else
		sb_addf(out,
			"\n[display]\n# That card has no outputs: what it draws is seen by Looking Glass (mode = looking-glass), with a driver for a "
			"virtual\n# display in the guest. Until that is installed, in a window.\nmode = %s\n",
			p->display);
}

static const struct input_device *find_input(const struct survey *s, const char *path)
{
	for (size_t i = 0; path && i < s->inputs.n; i++)
		if (streq(input_path(&s->inputs.v[i]), path))
			return &s->inputs.v[i];
	return NULL;
}

/* The other nodes of a chosen one; of what both have in common, once. */
static void write_parts(struct sb *out, const struct proposal *p, const struct survey *s, const char *path, const char *section)
{
	const struct input_device *chosen = find_input(s, path), *first = find_input(s, p->keyboard);
	bool again = chosen && first && chosen != first && input_one_thing(chosen, first);
	size_t n = 1;
	for (size_t i = 0; chosen && !again && i < s->inputs.n; i++) {
		const struct input_device *d = &s->inputs.v[i];
		if (!input_goes_with(chosen, d) || streq(input_path(d), p->keyboard) || streq(input_path(d), p->mouse))
			continue;
		cleanup_free char *what = input_describe(d);
		sb_addf(out, "\n[input %s-%zu]\n# Of the same thing: %s.\ndevice = %s\n", section, ++n, what, input_path(d));
	}
}

static void write_inputs(struct sb *out, const struct proposal *p, const struct survey *s)
{
	const struct input_device *keyboard = find_input(s, p->keyboard);
	bool both = keyboard && keyboard->is & INPUT_MOUSE; /* a keyboard with a touchpad may be one node */
	if (!p->gpu || !pci_has_outputs(p->gpu))
		return; /* a window has the host's */
	if (p->keyboard)
		sb_addf(out,
			"\n[input keyboard]\n# Both Ctrl keys together move keyboard and mouse between host and guest.\n"
			"device = %s\ngrab = yes\ntoggle = ctrl-ctrl\n",
			p->keyboard);
	write_parts(out, p, s, p->keyboard, "keyboard");
	if (p->mouse && !streq(p->mouse, p->keyboard))
		sb_addf(out, "\n[input mouse]\ndevice = %s\n", p->mouse);
	write_parts(out, p, s, p->mouse, "mouse");
	if (!p->keyboard || (!p->mouse && !both))
		sb_addf(out,
			"\n# No %s was found. Plug one in, and add it as qlaunch input names it:\n#[input %s]\n#device = "
			"/dev/input/by-id/...\n",
			p->keyboard ? "mouse" : "keyboard", p->keyboard ? "mouse" : "keyboard");
}

static void write_monitors(struct sb *out, const struct proposal *p)
{
	for (size_t i = 0; i < p->n_monitors; i++) {
		cleanup_free char *number = i ? str_fmt("%zu", i + 1) : str_dup("");
		sb_addf(out,
			"\n[monitor screen%s]\n# It shows the guest while the guest has its card, and then the host again.\n"
			"match = %s\nguest-input = 0x%02x\n",
			number, p->monitors[i].match, p->monitors[i].input);
		if (p->monitors[i].host)
			sb_addf(out, "# It does not tell what it shows: this is the host's cable.\nhost-input = 0x%02x\n",
				p->monitors[i].host);
	}
}

char *proposal_text(const struct proposal *p, const struct survey *s)
{
	struct sb out = {};
	cleanup_free char *command = propose_service(p) ? str_fmt("sudo systemctl start qlaunch@%s", p->name)
							: str_fmt("%sqlaunch %s\t", p->gpu ? "sudo " : "", p->name);
	sb_addf(&out,
		"# %s, proposed for this host%s%s by `qlaunch new`. All keys: man qlaunch.conf\n#\n"
		"#\tqlaunch check %s\t\twhether this host can run it\n#\tqlaunch plan %s\t\twhat would be changed, and why\n"
		"#\t%s\trun it; at its end the host is as before\n%s\n[vm]\nname = %s\n%s",
		p->name, p->os.name ? " and " : "", p->os.name ? p->os.name : "", p->name, p->name, command,
		propose_service(p) ? "#\n# Its service takes it from /etc/qlaunch, where it is root's: put it there after each change.\n"
				   : "",
		p->name,
		p->kvm ? "# Without KVM it would be useless, so do not fall back to emulation.\naccel = kvm\n"
		       : "# KVM where it works; it does not now, see `qlaunch check`.\naccel = auto\n");
	if (s->user.uid && strspn(s->user.name, "0123456789") != strlen(s->user.name)) /* of a container's bare number nobody knows later */
		sb_addf(&out, "# Who it is for: QEMU runs as this user, also where root starts it, by its unit.\nuser = %s\n",
			s->user.name);
	cleanup_free char *machine = qemu_newest_machine(&s->qemu);
	if (machine)
		sb_addf(&out,
			"# The board that the guest finds. It stays when QEMU is replaced; Windows would want to be activated again.\n"
			"machine = %s\n",
			machine);
	write_cpu(&out, p, s);
	write_memory(&out, p);
	write_firmware(&out, p);
	write_disks(&out, p);
	write_gpu(&out, p, s);
	if (s->battery && p->gpu && p->gpu->vendor == VENDOR_NVIDIA)
		sb_add(&out, "\n[acpi]\n# NVIDIA's drivers for laptops refuse their card where there is no battery.\nbattery = yes\n");
	write_inputs(&out, p, s);
	write_monitors(&out, p);
	write_network(&out, p);
	sb_add(&out, "\n[console]\n# With qemu-ga in the guest `qlaunch disk snapshot` has it hold still for that moment.\nagent = yes\n"
		     "\n[audio]\nmodel = hda\n\n[host]\n# To the host nobody seems to be there while you play: keep it awake.\n"
		     "inhibit-sleep = yes\n");
	if (p->gpu && s->performance)
		sb_add(&out, "# The guest's CPUs at full speed while it runs; the host does not see from its own work that they are busy.\n"
			     "governor = performance\n");
	if (propose_service(p))
		sb_addf(&out,
			"# The card is the desktop's: that ends before the guest starts, and is back after it.%s\nrelease-console = yes\n",
			groups_other_screen(&s->groups)
				? "\n# With the processor's graphics as the primary display in the firmware's setup the desktop "
				  "could stay: without\n# this line, then."
				: "");
	return sb_steal(&out);
}
