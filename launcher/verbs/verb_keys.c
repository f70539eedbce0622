/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch _keys [man | names [CONFIG]]: the table of keys, for the manual page and for completion. Not listed in --help. Changes
 * nothing. */
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/config/docs.h"

struct err *verb_keys(struct cli *cli, const struct verb_args *args)
{
	cleanup_config struct config *c = NULL;
	cleanup_user struct user caller = {};
	TRY(verb_words(args, 0, 2, "_keys [man | names [CONFIG]]"));
	if (args->words.n && streq(args->words.v[0], "man")) {
		keys_write_man(stdout);
		return NULL;
	}
	if (args->words.n > 1)
		err_free(config_load_as_caller(args->words.v[1], &cli->sets, &caller,
					       &c)); /* completion has no use for what is wrong with it */
	keys_write_names(stdout, c);
	return NULL;
}
