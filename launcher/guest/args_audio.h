/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audio: the guest's sound card and where its sound goes. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/desktop/desktop.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/step/finding.h"

/* The backend that the machine gets: the configured one; for auto the first that this QEMU has and that listens. */
enum audio_backend audio_choose(const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q);
/* After guest_usb. */
void guest_audio(struct args *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q);
void audio_findings(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q);
