/* SPDX-License-Identifier: GPL-2.0-or-later */
/* play CHANNELS: noise to /dev/dsp for ever, at 48 kHz, all volumes up, and once a second what /dev/dsp hears, as "guest: heard PEAK". */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/soundcard.h>
#include <time.h>
#include <unistd.h>

enum { RATE = 48000, BLOCK = 2048 };

/* A card begins with all its volumes down, and records nothing. */
static void turn_up(void)
{
	int mixer = open("/dev/mixer", O_RDWR | O_CLOEXEC), full = 100 << 8 | 100, sources = 0;
	if (mixer < 0)
		return;
	for (int i = 0; i < SOUND_MIXER_NRDEVICES; i++)
		ioctl(mixer, MIXER_WRITE(i), &full);
	if (ioctl(mixer, SOUND_MIXER_READ_RECMASK, &sources) == 0)
		ioctl(mixer, SOUND_MIXER_WRITE_RECSRC, &sources);
	close(mixer);
}

static int open_dsp(int how, int channels)
{
	int fd = open("/dev/dsp", how | O_CLOEXEC), format = AFMT_S16_LE, rate = RATE;
	if (fd < 0 || ioctl(fd, SNDCTL_DSP_SETFMT, &format) < 0 || ioctl(fd, SNDCTL_DSP_CHANNELS, &channels) < 0 ||
	    ioctl(fd, SNDCTL_DSP_SPEED, &rate) < 0)
		return -1;
	printf("guest: %s %d channels at %d\n", how & O_WRONLY ? "plays" : "hears", channels, rate);
	return fd;
}

static int peak(const int16_t *v, ssize_t n)
{
	int most = 0;
	for (ssize_t i = 0; i < n; i++)
		most = abs(v[i]) > most ? abs(v[i]) : most;
	return most;
}

int main(int argc, char **argv)
{
	static int16_t noise[BLOCK], heard[BLOCK];
	int channels = argc > 1 ? atoi(argv[1]) : 2, most = 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	turn_up();
	int out = open_dsp(O_WRONLY, channels), in = open_dsp(O_RDONLY | O_NONBLOCK, 2);
	if (out < 0)
		return puts("guest: no sound"), 1;
	for (time_t said = time(NULL);;) {
		for (int i = 0; i < BLOCK; i++)
			noise[i] = (int16_t)(random() >> 16);
		if (write(out, noise, sizeof(noise)) < 0)
			return perror("guest: write"), 1;
		ssize_t n = in < 0 ? 0 : read(in, heard, sizeof(heard));
		int now = peak(heard, n / (ssize_t)sizeof(*heard));
		most = now > most ? now : most;
		if (time(NULL) == said)
			continue;
		said = time(NULL);
		printf("guest: heard %d\n", most);
		most = 0;
	}
}
