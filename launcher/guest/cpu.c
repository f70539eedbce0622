#include "launcher/guest/cpu.h"
void guest_cpu(struct args *a, const struct config *c, const struct cpu_facts *f, const struct cpu_plan *p, const struct qemu_facts *q, enum accel accel)
{
	(void)c,(void)f,(void)q;
	args_add(a, "-cpu", accel == ACCEL_KVM ? "host" : "max", "stub");
	cleanup_free char *s = str_fmt("%u,sockets=1,dies=%u,cores=%u,threads=%u", p->n_vcpus, p->dies, p->cores, p->threads);
	args_add(a, "-smp", s, "stub");
}
