/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share: see share.h. */
#include "launcher/guest/args_share.h"
#include "launcher/guest/slots.h"

#define QUEUE_SIZE 1024 /* requests under way: the most that virtio-fs takes */

void guest_shares(struct args *out, const struct share_facts *f, int first_fd)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct share *s = &f->v[i];
		cleanup_free char *chardev = str_fmt("socket,id=share-%zu,fd=%d", i, first_fd + (int)i),
				  *why = str_fmt("[share %s]: %s", s->conf->name, s->helper);
		args_add(out, "-chardev", chardev, why);
		json_t *o = json_pack("{s:s, s:o, s:o, s:s, s:i}", "driver", "vhost-user-fs-pci", "id", json_sprintf("fs-%zu", i),
				      "chardev", json_sprintf("share-%zu", i), "tag", share_tag(s->conf), "queue-size", QUEUE_SIZE);
		slot_put(o, SLOT_SHARE, (unsigned)i, (unsigned)f->n);
		args_json(out, "-device", o, s->conf->readonly ? "read-only, as virtiofsd sees it" : NULL);
	}
}
