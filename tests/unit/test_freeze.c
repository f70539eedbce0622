/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's file systems at rest, by agents that refuse, are late, or find time was up; and signals that come meanwhile. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/str.h"
#include "launcher/tools/freeze.h"
#include "tests/unit/peer.h"
#include "tests/unit/played_agent.h"

#define PING { "guest-ping", "{}", NULL }
#define STATUS(state) { "guest-fsfreeze-status", "\"" state "\"", NULL }
#define FREEZE(answer) { "guest-fsfreeze-freeze", answer, NULL }
#define THAW(answer) { "guest-fsfreeze-thaw", answer, NULL }

static const struct played_line *script;

static void talk(int fd)
{
	played_talk(fd, script);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

static void signal_client(void)
{
	kill(getppid(), SIGTERM);
}

/* Whether it heard all that it was to hear, and nothing else. */
static void heard_all(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct talk_case {
	struct played_line lines[10];
	const char *begin, *end; /* what the two say; "" is success, NULL: not reached */
	int end_code;            /* and with which errno */
	enum exit_status status; /* of that of the two which failed */
};

static const struct talk_case cases[] = {
	{ { PING, STATUS("thawed"), FREEZE("2"), THAW("2") }, "", "", 0, EXIT_OK },
	/* others' mounts of the same file systems may be counted too */
	{ { PING, STATUS("thawed"), FREEZE("1"), THAW("3") }, "", "", 0, EXIT_OK },
	/* a command that was killed has left it frozen */
	{ { PING, STATUS("frozen"), THAW("1"), FREEZE("1"), THAW("1") }, "", "", 0, EXIT_OK },
	{ { PING, STATUS("frozen"), THAW("!couldn't hold writes"), STATUS("thawed"), FREEZE("1"), THAW("1") }, "", "", 0, EXIT_OK },
	{ { PING, STATUS("frozen"), THAW("!no"), STATUS("frozen"), THAW("!no"), STATUS("frozen") }, "the guest's file systems may still be frozen: ",
	  NULL, 0, EXIT_RESIDUE },
	/* it cannot, or will not: asked to thaw all the same */
	{ { PING, { "guest-fsfreeze-status", "!Unsupported", NULL } }, "guest-fsfreeze-status: GenericError: Unsupported", NULL, 0, EXIT_GUEST },
	{ { PING, STATUS("thawed"), FREEZE("!has been disabled"), THAW("0") }, "guest-fsfreeze-freeze: GenericError: has been disabled", NULL, 0,
	  EXIT_GUEST },
	{ { PING, STATUS("thawed"), FREEZE("!disabled"), THAW("!disabled"), STATUS("thawed") }, "guest-fsfreeze-freeze: GenericError: disabled",
	  NULL, 0, EXIT_GUEST },
	{ { PING, STATUS("thawed"), FREEZE("!half"), THAW("!no"), STATUS("frozen"), THAW("!no"), STATUS("frozen") },
	  "the guest's file systems may still be frozen: ", NULL, 0, EXIT_RESIDUE },
	{ { PING, STATUS("thawed"), FREEZE("0"), THAW("0") }, "the guest has no file system that can be frozen", NULL, 0, EXIT_GUEST },
	/* somebody in the guest was faster; or Windows' ten seconds were */
	{ { PING, STATUS("thawed"), FREEZE("2"), THAW("1") }, "", "the guest thawed them before", ESTALE, EXIT_GUEST },
	{ { PING, STATUS("thawed"), FREEZE("1"), THAW("!couldn't hold writes: fsfreeze is limited up to 10 seconds"), STATUS("thawed") }, "",
	  "the guest thawed them before: guest-fsfreeze-thaw: GenericError: couldn't hold writes", ESTALE, EXIT_GUEST },
	{ { PING, STATUS("thawed"), FREEZE("1"), THAW("!once"), STATUS("frozen"), THAW("1") }, "", "", 0, EXIT_OK },
	{ { PING, STATUS("thawed"), FREEZE("1"), THAW("!no"), STATUS("frozen"), THAW("!no"), STATUS("frozen") }, "",
	  "the guest's file systems may still be frozen: guest-fsfreeze-thaw", 0, EXIT_RESIDUE },
};

static bool says(const struct err *e, const char *begins)
{
	return *begins ? str_starts(err_text(e), begins) : !e;
}

static void play(const struct talk_case *c)
{
	pid_t pid;
	struct freeze f = {};
	script = c->lines;
	struct err *e = freeze_begin(peer_fork(talk, &pid), &f);
	if (!says(e, c->begin))
		fail_msg("begin: %s", err_text(e));
	if (!e) {
		sigset_t now;
		sigprocmask(SIG_BLOCK, NULL, &now);
		assert_true(sigismember(&now, SIGTERM) == 1 && sigismember(&now, SIGINT) == 1);
		e = freeze_end(&f);
		if (!says(e, c->end))
			fail_msg("end: %s", err_text(e));
		assert_int_equal(err_code(e), c->end_code);
	}
	assert_null(f.agent);
	assert_int_equal(err_status(e), c->status);
	err_free(e);
	heard_all(pid);
	sigset_t after;
	sigprocmask(SIG_BLOCK, NULL, &after);
	assert_true(sigismember(&after, SIGTERM) == 0 && sigismember(&after, SIGINT) == 0);
}

static void test_talks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		play(&cases[i]);
}

static const struct played_line signalling[] = { PING, STATUS("thawed"), { "guest-fsfreeze-freeze", "1", signal_client }, THAW("1"), {} };

/* One that comes while the guest is being frozen: no snapshot any more, and it is thawed before the signal is seen. */
static void test_signal_first(void **state)
{
	(void)state;
	pid_t pid;
	struct freeze f = {};
	script = signalling;
	signals = 0;
	cleanup_err struct err *e = freeze_begin(peer_fork(talk, &pid), &f);
	assert_int_equal(err_code(e), ECANCELED);
	assert_int_equal(signals, 1);
	heard_all(pid);
}

/* One that comes later waits for the end, and so does one that is ignored, which ends nothing. */
static void test_signal_later(void **state)
{
	(void)state;
	pid_t pid;
	struct freeze f = {};
	script = signalling;
	signals = 0;
	signal(SIGTERM, SIG_IGN);
	assert_null(freeze_begin(peer_fork(talk, &pid), &f));
	signal(SIGTERM, on_signal);
	kill(getpid(), SIGTERM); /* not raise: two that are pending for the process are one */
	assert_int_equal(signals, 0);
	assert_null(freeze_end(&f));
	assert_int_equal(signals, 1);
	heard_all(pid);
	assert_null(freeze_end(&f)); /* nothing is frozen: nothing to do */
}

static void dies(int fd)
{
	static const struct played_line lines[] = { PING, STATUS("thawed"), FREEZE("1") };
	played_sync(fd);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		played_expect(fd, lines[i].command, lines[i].answer);
}

static void silent(int fd)
{
	bool sentinel;
	for (;;)
		json_decref(played_hear(fd, &sentinel));
}

static void test_gone(void **state)
{
	(void)state;
	pid_t pid;
	struct freeze f = {};
	assert_null(freeze_begin(peer_fork(dies, &pid), &f));
	cleanup_err struct err *ended = freeze_end(&f);
	assert_int_equal(err_code(ended), ESTALE);
	heard_all(pid);
	cleanup_err struct err *nobody = freeze_begin(peer_fork(silent, &pid), &f);
	assert_int_equal(err_code(nobody), ETIMEDOUT);
	assert_string_equal(err_text(nobody), "no agent answered");
	peer_end(pid);
}

int main(void)
{
	alarm(120);
	signal(SIGTERM, on_signal);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_talks), cmocka_unit_test(test_signal_first), cmocka_unit_test(test_signal_later),
					    cmocka_unit_test(test_gone) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
