/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screen: see screen.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/base/clock.h"
#include "launcher/verbs/screen.h"

#define ENTER "\033[?1049h\033[?25l\033[?7l" /* alternate screen, no cursor, no line that goes on in the next row */
#define LEAVE "\033[?7h\033[?25h\033[?1049l"

bool screen_possible(void)
{
	const char *term = getenv("TERM");
	return term && *term && !streq(term, "dumb") && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* All of it, or as much as a terminal takes that is still there. */
static void put(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDOUT_FILENO, text, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		text += done;
		n -= (size_t)done;
	}
}

static void measure(struct screen *s)
{
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row;
	s->columns = known ? size.ws_col : 80;
	s->rows = known ? size.ws_row : 24;
}

static void enter(struct screen *s)
{
	struct termios own = s->before;
	own.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* keys at once and unseen; Ctrl-C and Ctrl-Z stay signals */
	own.c_cc[VMIN] = 1;
	own.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &own);
	put(ENTER, strlen(ENTER));
	measure(s);
}

static void leave(const struct screen *s)
{
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before);
}

struct err *screen_open(struct screen *s)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGWINCH };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		sigaddset(&set, numbers[i]);
	if (tcgetattr(STDIN_FILENO, &s->before) < 0)
		return err_errno(errno, "terminal");
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->signals < 0)
		return err_errno(errno, "signalfd");
	s->first = 0;
	enter(s);
	return NULL;
}

void screen_close(struct screen *s)
{
	leave(s);
	close(s->signals);
	s->signals = -1;
}

char *screen_cut(const char *line, size_t columns)
{
	struct sb sb = {};
	for (size_t at = 0; *line;) {
		if (*line == '\033') { /* ESC [ parameters letter */
			size_t n = 1 + (line[1] == '[');
			while (line[n] && (line[n] < '@' || line[n] > '~'))
				n++;
			n += line[n] != '\0';
			sb_addn(&sb, line, n);
			line += n;
			continue;
		}
		size_t n = 1;
		while (((unsigned char)line[n] & 0xc0) == 0x80)
			n++;
		if (at++ < columns)
			sb_addn(&sb, line, n);
		line += n;
	}
	return sb_steal(&sb);
}

void screen_draw(struct screen *s, const struct strv *lines)
{
	cleanup_sb struct sb frame = {};
	bool scrolls = lines->n > s->rows;
	size_t room = scrolls ? s->rows - 1 : s->rows, most = lines->n > room ? lines->n - room : 0;
	if (s->first > most)
		s->first = most;
	sb_add(&frame, "\033[H");
	for (size_t i = 0; i < room; i++) {
		bool there = s->first + i < lines->n;
		cleanup_free char *line = there ? screen_cut(lines->v[s->first + i], s->columns) : str_dup("");
		sb_addf(&frame, "%s\033[K%s", i ? "\r\n" : "", line);
	}
	if (scrolls) {
		cleanup_free char *where = tr_fmt("lines %zu to %zu of %zu; arrows scroll, q leaves", s->first + 1, s->first + room,
						  lines->n),
				  *line = screen_cut(where, s->columns);
		sb_addf(&frame, "%s\033[K\033[7m%s\033[0m", room ? "\r\n" : "", line);
	}
	put(frame.s, frame.len);
}

/* Gives the terminal back for as long as the shell wants it. */
static void pause_here(struct screen *s)
{
	leave(s);
	raise(SIGSTOP);
	tcgetattr(STDIN_FILENO, &s->before);
	enter(s);
}

static enum screen_event on_signal(struct screen *s)
{
	struct signalfd_siginfo info;
	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_AGAIN;
	switch (info.ssi_signo) {
	case SIGWINCH:
	case SIGCONT:
		measure(s);
		return SCREEN_AGAIN;
	case SIGTSTP:
		pause_here(s);
		return SCREEN_AGAIN;
	default:
		return SCREEN_LEAVE;
	}
}

/* Takes the next key off what was typed. */
static enum screen_event take_key(struct screen *s, const char **typed)
{
	static const struct {
		const char *key;
		int step; /* of lines; 0: leave */
	} keys[] = { { "q", 0 }, { "Q", 0 }, { "k", -1 }, { "j", 1 }, { "\033[A", -1 }, { "\033OA", -1 }, { "\033[B", 1 }, { "\033OB", 1 }, { " ", 10 } };
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!str_starts(*typed, keys[i].key))
			continue;
		*typed += strlen(keys[i].key);
		if (!keys[i].step)
			return SCREEN_LEAVE;
		if (keys[i].step > 0 || s->first > 0)
			s->first += (size_t)keys[i].step;
		return SCREEN_AGAIN;
	}
	++*typed;
	return SCREEN_AGAIN;
}

/* A key; or the terminal's end. */
static enum screen_event on_key(struct screen *s)
{
	char typed[64];
	ssize_t n = read(STDIN_FILENO, typed, sizeof(typed) - 1);
	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN) ? SCREEN_AGAIN : SCREEN_LEAVE;
	typed[n] = '\0';
	enum screen_event event = SCREEN_AGAIN;
	for (const char *at = typed; *at && event == SCREEN_AGAIN;)
		event = take_key(s, &at);
	return event;
}

enum screen_event screen_wait(struct screen *s, int64_t deadline_ms, int other)
{
	for (;;) {
		struct pollfd p[] = { { .fd = s->signals, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = other, .events = POLLIN } };
		int64_t left = deadline_ms - clock_ms();
		int n = poll(p, ARRAY_SIZE(p), left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? SCREEN_LEAVE : SCREEN_TIME;
		if (p[0].revents)
			return on_signal(s);
		return p[1].revents ? on_key(s) : SCREEN_OTHER;
	}
}
