/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzzer's entry over the files of its corpus, without libFuzzer: what `make check` does. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "re");
		if (!f) {
			perror(argv[i]);
			return 1;
		}
		static uint8_t room[4 << 20];
		size_t size = fread(room, 1, sizeof(room), f);
		fclose(f);
		uint8_t *data = malloc(size ? size : 1); /* of its exact size, so that a sanitizer sees a read past its end */
		if (!data)
			return 1;
		for (size_t j = 0; j < size; j++)
			data[j] = room[j];
		fprintf(stderr, "replay %s (%zu bytes)\n", argv[i], size);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return argc > 1 ? 0 : 1;
}
