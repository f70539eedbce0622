/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps: which capabilities the launcher still needs, by the kinds of the steps that it will apply and undo. A kind that is not in the table
 * needs none: its files belong to root, and the launcher stays root's.
 *
 * It changes the capability sets of the calling process, never its ids.
 */
#pragma once
#include <stdint.h>
#include "launcher/base/err.h"
#include "launcher/step/step.h"

/* A set: bit 1 << CAP_x (linux/capability.h). Pure. */
uint64_t caps_needed(const struct steps *steps);
/* What the child needs to have this oom_score_adj. Pure. */
uint64_t caps_oom_score(int score);
/*
 * Gives up all but `keep`, for good: effective and permitted become `keep` less what we never had, the bounding set too where SETPCAP lets
 * us (so that a program which is run as root gets no more), inheritable and ambient become empty. No error for those who have nothing.
 */
struct err *caps_drop_to(uint64_t keep);
