/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch edit CONFIG: the configuration in the user's editor, and saved only once it is one. The editor has a copy, beside the file so
 * that relative paths mean the same; the file itself is replaced in one go, or not at all. Runs the editor as the user.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/verbs/own.h"

/* $VISUAL, $EDITOR (with arguments: "code -w"), or what is installed. */
static struct err *find_editor(struct strv *ret_argv)
{
	static const char *const usual[] = { "editor", "nano", "vi", "vim", "emacs" };
	const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR"), *own = visual && *visual ? visual : editor;
	if (own && *own)
		strv_split(ret_argv, own, " \t");
	for (size_t i = 0; !ret_argv->n && i < ARRAY_SIZE(usual); i++) {
		cleanup_free char *path = child_find(usual[i]);
		if (path)
			strv_add(ret_argv, path);
	}
	return ret_argv->n ? NULL : err_exit(err_hint(err_new("there is no editor"), "set EDITOR to the one that you use"), EXIT_HOST);
}

/* The terminal is its own: Ctrl-C there is for the editor, as with system(3). */
static struct err *run_editor(const struct strv *editor, const char *file)
{
	cleanup_strv struct strv argv = {};
	int status = 0;
	for (size_t i = 0; i < editor->n; i++)
		strv_add(&argv, editor->v[i]);
	strv_add(&argv, file);
	void (*old_int)(int) = signal(SIGINT, SIG_IGN), (*old_quit)(int) = signal(SIGQUIT, SIG_IGN);
	pid_t pid = fork();
	if (pid == 0) {
		child_signals();
		execvp(argv.v[0], argv.v);
		fprintf(stderr, "%s: %s\n", argv.v[0], strerror(errno));
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, old_int);
	signal(SIGQUIT, old_quit);
	if (pid < 0)
		return err_errno(errno, "fork");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	return err_exit(err_new("%s did not end well: nothing was changed", argv.v[0]), EXIT_GUEST);
}

static struct err *judge(const struct own *o, const char *text)
{
	struct conf_errors errors = {};
	cleanup_free char *dir = str_dir(o->path);
	config_free(config_parse(text, o->path, dir, NULL, &errors));
	cleanup_free char *all = strv_join(&errors.lines, "\n");
	bool bad = errors.lines.n;
	strv_free(&errors.lines);
	return bad ? err_exit(err_new("%s", all), EXIT_CONFIG) : NULL;
}

/* What becomes of a text with mistakes: 'e' edit again, 'x' away with it, 's' saved all the same. Without a terminal it goes. */
static char ask(void)
{
	char answer[16] = "";
	if (!isatty(STDIN_FILENO))
		return 'x';
	printf(_("(e)dit again, e(x)it without saving, or (s)ave it with its mistakes? [e] "));
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return 'x';
	return *answer == 'x' || *answer == 's' ? *answer : 'e';
}

static struct err *save(struct cli *cli, const struct own *o, const char *text)
{
	cleanup_free char *now = NULL;
	struct stat st;
	TRY(root_read(cli->root, o->path, &now));
	TRY(root_stat(cli->root, o->path, &st));
	if (!streq(now, o->text))
		return err_new("%s was changed by somebody else meanwhile", o->path);
	cleanup_free char *whole = str_ends(text, "\n") || !*text ? str_dup(text) : str_fmt("%s\n", text);
	return root_put(cli->root, o->path, whole, st.st_mode & 07777);
}

static struct err *edit(struct cli *cli, const struct own *o, const struct strv *editor, const char *copy)
{
	for (;;) {
		cleanup_free char *text = NULL;
		TRY(run_editor(editor, copy));
		TRY(root_read(cli->root, copy, &text));
		if (streq(text, o->text)) {
			log_info("%s: as it was", o->path);
			return NULL;
		}
		struct err *mistakes = judge(o, text);
		bool wrong = mistakes;
		log_err(LOG_LEVEL_ERROR, mistakes);
		char answer = wrong ? ask() : 's';
		if (answer == 'e')
			continue;
		if (answer == 'x')
			return err_exit(err_new("nothing was changed"), EXIT_CONFIG);
		TRY(save(cli, o, text));
		log_info("%s: saved%s", o->path, wrong ? _(", with its mistakes") : "");
		return NULL;
	}
}

struct err *verb_edit(struct cli *cli, const struct verb_args *args)
{
	cleanup_own struct own o = {};
	cleanup_strv struct strv editor = {};
	TRY(verb_words(args, 1, 1, "edit CONFIG"));
	TRY(own_open(cli, args->words.v[0], true, &o));
	TRY(own_writable(&o));
	TRY(find_editor(&editor));
	/* not named .conf: nobody takes it for a machine */
	cleanup_free char *copy = str_fmt("%s.edit-%d", o.path, (int)getpid()), *whole = str_fmt("%s\n", o.text);
	TRY(err_exit(root_put_new(cli->root, copy, whole, strlen(whole), 0600), EXIT_HOST));
	struct err *e = err_exit(edit(cli, &o, &editor, copy), EXIT_HOST);
	err_free(root_unlink(cli->root, copy));
	TRY(e);
	cleanup_config struct config *c = NULL;
	err_free(config_load(o.path, NULL, &c)); /* it may have been saved with its mistakes */
	if (c && streq(own_state(cli, c->vm.name, NULL), "running"))
		log_info("%s runs: what was changed counts from its next start", c->vm.name);
	return NULL;
}
