/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch ssh VM [-- ARGUMENTS…]: ssh(1) into the guest, as the user: by the port of this host that its configuration forwards to the guest's 22,
 * else to the address that its agent tells. The guest's key is known by the machine's name, whatever the port.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/config/config.h"
#include "launcher/verbs/own.h"
#include "launcher/verbs/running.h"

#define SSH_PORT 22

/* The address and port of this host that lead to the guest's 22. */
static bool forwarded(const struct config *c, struct conf_forward *ret)
{
	for (size_t i = 0; i < c->n_networks; i++)
		for (size_t k = 0; k < c->networks[i].forward.n; k++)
			if (conf_forward_parse(c->networks[i].forward.v[k], ret) && ret->guest == SSH_PORT && streq(ret->protocol, "tcp"))
				return true;
	return false;
}

/* The first IPv4 address of the guest's that is not its loopback's. Owned by the caller; NULL: it has none. */
static char *first_address(const json_t *interfaces)
{
	const json_t *interface, *address;
	size_t i, k;
	json_array_foreach ((json_t *)interfaces, i, interface)
		json_array_foreach (json_object_get(interface, "ip-addresses"), k, address) {
			const char *text = json_string_value(json_object_get(address, "ip-address"));
			if (text && streq(json_string_value(json_object_get(address, "ip-address-type")), "ipv4") &&
			    !str_starts(text, "127.") && !text[strspn(text, "0123456789.")])
				return str_dup(text);
		}
	return NULL;
}

static struct err *ask_address(struct cli *cli, const char *vm, char **ret_address)
{
	cleanup_agent struct agent *agent = NULL;
	json_t *interfaces = NULL;
	struct err *e = running_agent(cli, vm, "ssh", &agent);
	if (!e)
		e = agent_call(agent, "guest-network-get-interfaces", NULL, RUNNING_AGENT_LIMIT_MS, &interfaces);
	if (e && err_status(e) != EXIT_GUEST)
		return e;
	err_free(e);
	*ret_address = first_address(interfaces);
	json_decref(interfaces);
	return *ret_address
		       ? NULL
		       : err_exit(
				 err_hint(
					 err_new("%s: no port of this host leads to its 22, and no agent tells its address", vm),
					 "forward = tcp:2222:22 in its [network], or: qlaunch forward %s tcp:2222:22; ssh -p 2222 127.0.0.1",
					 vm),
				 EXIT_GUEST);
}

struct err *verb_ssh(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user u = {};
	cleanup_config struct config *c = NULL;
	cleanup_strv struct strv argv = {};
	cleanup_free char *address = NULL, *program = child_find("ssh");
	struct conf_forward f;
	json_t *status = NULL;
	TRY(verb_words(args, 1, 64, "ssh VM [-- ARGUMENTS…]"));
	const char *vm = args->words.v[0];
	TRY(running_find(cli, vm, "ssh", &status));
	cleanup_free char *config = str_dup(json_string_value(json_object_get(status, "config")));
	json_decref(status);
	TRY(config_load_as_caller(config ? config : vm, &cli->sets, &u, &c));
	bool by_port = forwarded(c, &f);
	if (!by_port)
		TRY(ask_address(cli, vm, &address));
	if (!program)
		return err_exit(err_hint(err_new("ssh is not installed"),
					 "apt-get install openssh-client, pacman -S openssh or dnf install openssh-clients"),
				EXIT_HOST);
	strv_add(&argv, program);
	strv_add(&argv, "-o");
	strv_addf(&argv, "HostKeyAlias=qlaunch-%s", vm);
	strv_add(&argv, "-p");
	strv_addf(&argv, "%u", by_port ? f.host : SSH_PORT);
	strv_add(&argv, !by_port ? address : streq(f.address, "0.0.0.0") ? "127.0.0.1" : f.address);
	for (size_t i = 1; i < args->words.n; i++)
		strv_add(&argv, args->words.v[i]);
	user_free(&u);
	TRY(own_become(cli, NULL, &u));
	child_signals();
	execv(program, argv.v);
	return err_exit(err_errno(errno, "%s", program), EXIT_HOST);
}
