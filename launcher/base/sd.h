/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sd: libsystemd (event loop, D-Bus, udev's events), loaded by the first call of one of its functions: see late.h. Include this instead of
 * its headers and write as if it were linked. One that cannot be loaded is said once; its functions then answer -ELIBACC.
 */
#pragma once
#include <systemd/sd-bus.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-device.h>
#include <systemd/sd-event.h>
#include "launcher/base/late.h"

#define SD_FUNCTIONS(X) \
	X(sd_bus_attach_event) X(sd_bus_call) X(sd_bus_call_method) X(sd_bus_close_unref) X(sd_bus_error_free) X(sd_bus_error_get_errno) \
	X(sd_bus_error_has_name) X(sd_bus_error_is_set) X(sd_bus_get_property_string) X(sd_bus_is_ready) X(sd_bus_match_signal) \
	X(sd_bus_message_append) X(sd_bus_message_append_array) X(sd_bus_message_close_container) X(sd_bus_message_enter_container) \
	X(sd_bus_message_exit_container) X(sd_bus_message_new_method_call) X(sd_bus_message_skip) \
	X(sd_bus_message_open_container) X(sd_bus_message_read) X(sd_bus_message_set_auto_start) X(sd_bus_message_unref) X(sd_bus_new) \
	X(sd_bus_open_system) X(sd_bus_process) X(sd_bus_set_address) X(sd_bus_set_bus_client) X(sd_bus_set_method_call_timeout) \
	X(sd_bus_start) X(sd_bus_wait) X(sd_device_get_action) X(sd_device_get_sysname) X(sd_device_monitor_attach_event) \
	X(sd_device_monitor_filter_add_match_subsystem_devtype) X(sd_device_monitor_new) X(sd_device_monitor_start) \
	X(sd_device_monitor_unref) X(sd_event_add_io) X(sd_event_add_post) X(sd_event_add_signal) X(sd_event_add_time) \
	X(sd_event_add_time_relative) X(sd_event_exit) X(sd_event_loop) X(sd_event_new) X(sd_event_source_disable_unref) \
	X(sd_event_source_get_enabled) X(sd_event_source_set_destroy_callback) X(sd_event_source_set_enabled) \
	X(sd_event_source_set_floating) X(sd_event_source_set_io_events) X(sd_event_source_set_priority) X(sd_event_source_set_time) X(sd_event_source_set_time_relative) \
	X(sd_event_source_unref) X(sd_event_unref) X(sd_notify)

struct sd_functions LATE_TABLE(SD_FUNCTIONS);
/* Loads the library at the first call. Never NULL. */
const struct sd_functions *sd_functions(void);

#define sd_bus_attach_event sd_functions()->sd_bus_attach_event
#define sd_bus_call sd_functions()->sd_bus_call
#define sd_bus_call_method sd_functions()->sd_bus_call_method
#define sd_bus_close_unref sd_functions()->sd_bus_close_unref
#define sd_bus_error_free sd_functions()->sd_bus_error_free
#define sd_bus_error_get_errno sd_functions()->sd_bus_error_get_errno
#define sd_bus_error_has_name sd_functions()->sd_bus_error_has_name
#define sd_bus_error_is_set sd_functions()->sd_bus_error_is_set
#define sd_bus_get_property_string sd_functions()->sd_bus_get_property_string
#define sd_bus_is_ready sd_functions()->sd_bus_is_ready
#define sd_bus_match_signal sd_functions()->sd_bus_match_signal
#define sd_bus_message_append sd_functions()->sd_bus_message_append
#define sd_bus_message_append_array sd_functions()->sd_bus_message_append_array
#define sd_bus_message_close_container sd_functions()->sd_bus_message_close_container
#define sd_bus_message_enter_container sd_functions()->sd_bus_message_enter_container
#define sd_bus_message_exit_container sd_functions()->sd_bus_message_exit_container
#define sd_bus_message_new_method_call sd_functions()->sd_bus_message_new_method_call
#define sd_bus_message_open_container sd_functions()->sd_bus_message_open_container
#define sd_bus_message_read sd_functions()->sd_bus_message_read
#define sd_bus_message_set_auto_start sd_functions()->sd_bus_message_set_auto_start
#define sd_bus_message_skip sd_functions()->sd_bus_message_skip
#define sd_bus_message_unref sd_functions()->sd_bus_message_unref
#define sd_bus_new sd_functions()->sd_bus_new
#define sd_bus_open_system sd_functions()->sd_bus_open_system
#define sd_bus_process sd_functions()->sd_bus_process
#define sd_bus_set_address sd_functions()->sd_bus_set_address
#define sd_bus_set_bus_client sd_functions()->sd_bus_set_bus_client
#define sd_bus_set_method_call_timeout sd_functions()->sd_bus_set_method_call_timeout
#define sd_bus_start sd_functions()->sd_bus_start
#define sd_bus_wait sd_functions()->sd_bus_wait
#define sd_device_get_action sd_functions()->sd_device_get_action
#define sd_device_get_sysname sd_functions()->sd_device_get_sysname
#define sd_device_monitor_attach_event sd_functions()->sd_device_monitor_attach_event
#define sd_device_monitor_filter_add_match_subsystem_devtype sd_functions()->sd_device_monitor_filter_add_match_subsystem_devtype
#define sd_device_monitor_new sd_functions()->sd_device_monitor_new
#define sd_device_monitor_start sd_functions()->sd_device_monitor_start
#define sd_device_monitor_unref sd_functions()->sd_device_monitor_unref
#define sd_event_add_io sd_functions()->sd_event_add_io
#define sd_event_add_post sd_functions()->sd_event_add_post
#define sd_event_add_signal sd_functions()->sd_event_add_signal
#define sd_event_add_time sd_functions()->sd_event_add_time
#define sd_event_add_time_relative sd_functions()->sd_event_add_time_relative
#define sd_event_exit sd_functions()->sd_event_exit
#define sd_event_loop sd_functions()->sd_event_loop
#define sd_event_new sd_functions()->sd_event_new
#define sd_event_source_disable_unref sd_functions()->sd_event_source_disable_unref
#define sd_event_source_get_enabled sd_functions()->sd_event_source_get_enabled
#define sd_event_source_set_destroy_callback sd_functions()->sd_event_source_set_destroy_callback
#define sd_event_source_set_enabled sd_functions()->sd_event_source_set_enabled
#define sd_event_source_set_floating sd_functions()->sd_event_source_set_floating
#define sd_event_source_set_io_events sd_functions()->sd_event_source_set_io_events
#define sd_event_source_set_priority sd_functions()->sd_event_source_set_priority
#define sd_event_source_set_time sd_functions()->sd_event_source_set_time
#define sd_event_source_set_time_relative sd_functions()->sd_event_source_set_time_relative
#define sd_event_source_unref sd_functions()->sd_event_source_unref
#define sd_event_unref sd_functions()->sd_event_unref
#define sd_notify sd_functions()->sd_notify
