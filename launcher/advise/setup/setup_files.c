/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: a file as it is, and as it is to be: a change of the plan. Reads only. See setup.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

struct err *setup_read(struct root *root, const char *path, char **ret_text, mode_t *ret_mode)
{
	cleanup_fd int fd = -1;
	cleanup_sb struct sb sb = {};
	char buf[16384];
	ssize_t n;
	struct stat st;
	struct err *e = root_open_fd(root, path, O_RDONLY, &fd);
	if (err_code(e) == ENOENT) {
		err_free(e);
		*ret_text = NULL;
		return NULL;
	}
	TRY(e);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)ROOT_TEXT_MAX)
		return err_new("%s: not a text file", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sb_addn(&sb, buf, (size_t)n);
	if (n < 0)
		return err_errno(errno, "%s", path);
	if (sb.s && strlen(sb.s) != sb.len)
		return err_new("%s: not a text file", path);
	*ret_mode = st.st_mode & 07777;
	*ret_text = sb_steal(&sb);
	return NULL;
}

struct err *setup_change_to(struct root *root, struct setup *s, const char *path, mode_t mode, enum setup_hold hold, char *text)
{
	cleanup_free char *real = root_real(root, path), *old = NULL, *new = text;
	path = real ? real : path;
	TRY(setup_read(root, path, &old, &mode));
	if (streq(old, new))
		return NULL;
	cleanup_free char *words = hold == SETUP_WORDS ? strv_join(&s->words, " ") : NULL;
	s->v = mem_grow(s->v, s->n, sizeof(*s->v));
	s->v[s->n++] = (struct setup_change){ str_dup(path), steal(old), steal(new), mode, hold, steal(words) };
	return NULL;
}

struct err *setup_own(struct root *root, struct setup *s, const char *path, mode_t mode, char *text)
{
	return setup_change_to(root, s, path, mode, SETUP_OWN, text);
}

struct err *setup_block_in(struct root *root, struct setup *s, const char *path, const char *lines)
{
	cleanup_free char *old = NULL, *bare = NULL;
	const char *open = NULL;
	mode_t mode = 0644;
	TRY(setup_read(root, path, &old, &mode));
	bare = setup_block(old ? old : "", NULL);
	free(setup_shell_value(bare, "", &open));
	if (open) {
		cleanup_strv struct strv each = {};
		strv_split(&each, lines, "\n");
		cleanup_free char *one = strv_join(&each, "; "); /* a hint is one line */
		return err_hint(err_new(_("%s is not understood: %s"), path, open), _("add by hand, then again: %s"), one);
	}
	return setup_change_to(root, s, path, mode, SETUP_BLOCK, setup_block(old ? old : "", lines));
}

struct err *setup_check_later(struct root *root, const char *own, const char *lines, const char *variable, const char *words)
{
	const char *slash = strrchr(own, '/'), *dot = strrchr(own, '.'), *open;
	cleanup_free char *all = str_fmt("%.*s/*%s", (int)(slash - own), own, dot);
	cleanup_strv struct strv files = {};
	boot_glob(root, all, &files);
	for (size_t i = 0; i < files.n; i++) {
		if (strcmp(files.v[i], own) <= 0)
			continue;
		cleanup_free char *text = root_read_or(root, files.v[i], ""), *both = str_fmt("%s\n%s", lines, text);
		cleanup_free char *value = setup_shell_value(both, variable, &open);
		if (!strstr(value, words))
			return err_hint(err_new(_("%s is read after %s and sets %s anew"), files.v[i], own, variable),
					_("add by hand, then again: %s"), words);
	}
	return NULL;
}

void setup_free(struct setup *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].path);
		free(s->v[i].old);
		free(s->v[i].new);
		free(s->v[i].words);
	}
	free(s->v);
	strv_free(&s->run);
	strv_free(&s->back);
	strv_free(&s->scratch);
	strv_free(&s->commands);
	strv_free(&s->words);
	strv_free(&s->notes);
	*s = (struct setup){};
}
