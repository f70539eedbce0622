# SPDX-License-Identifier: GPL-2.0-or-later
# guest.ps1: what guest.c is, for a Windows guest: the same words in, the same lines out. For Windows PowerShell 5.1 and later.
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File guest.ps1 WORKLOAD...
#
# Each result is a line of its own, "bench: METRIC UNIT less|more|tails VALUE...", the last one is "bench: done". All of it is C# (5, what
# Windows brings a compiler for): loops of PowerShell would measure PowerShell, and tests/bench.bats runs it, by Mono. It writes one temporary
# file, for the disk, and removes it.
param([Parameter(ValueFromRemainingArguments = $true)][string[]]$Workloads = @())
$ErrorActionPreference = 'Stop'

Add-Type -IgnoreWarnings -TypeDefinition @'
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Microsoft.Win32.SafeHandles;

public static class Bench {
	const int Passes = 3, Samples = 1000, Page = 4096;

	[DllImport("kernel32.dll")] static extern ulong GetTickCount64();
	struct Memory { // MEMORYSTATUSEX
		public uint Length, Load;
		public ulong Total, Free, TotalPage, FreePage, TotalVirtual, FreeVirtual, FreeExtended;
	}
	[DllImport("kernel32.dll")] static extern bool GlobalMemoryStatusEx(ref Memory memory);
	[DllImport("kernel32.dll")] static extern IntPtr GetCurrentThread();
	[DllImport("kernel32.dll")] static extern IntPtr SetThreadAffinityMask(IntPtr thread, IntPtr mask);
	[DllImport("kernel32.dll")] static extern bool ReadFile(SafeFileHandle file, IntPtr to, int size, out int got, ref NativeOverlapped at);
	[DllImport("kernel32.dll")] static extern bool GetLogicalProcessorInformation(IntPtr to, ref int size);
	[DllImport("kernel32.dll")] static extern IntPtr CreateWaitableTimerExW(IntPtr security, IntPtr name, uint flags, uint access);
	[DllImport("kernel32.dll")] static extern bool SetWaitableTimer(IntPtr timer, ref long due, int period, IntPtr done, IntPtr data, bool resume);
	[DllImport("kernel32.dll")] static extern uint WaitForSingleObject(IntPtr handle, uint ms);
	[DllImport("kernel32.dll")] static extern bool CloseHandle(IntPtr handle);
	[DllImport("winmm.dll")] static extern uint timeBeginPeriod(uint ms);
	[DllImport("winmm.dll")] static extern uint timeEndPeriod(uint ms);

	static double Us(long ticks) { return ticks * 1e6 / Stopwatch.Frequency; }
	static double Since(long began) { return Us(Stopwatch.GetTimestamp() - began); }

	static void Say(string metric, string unit, string better, params double[] values) {
		string line = "bench: " + metric + " " + unit + " " + better;
		foreach (double v in values) line += " " + v.ToString("G6", CultureInfo.InvariantCulture);
		Console.WriteLine(line);
	}
	static double[] Repeat(Func<double> work) {
		double[] v = new double[Passes];
		for (int i = 0; i < Passes; i++) v[i] = work();
		return v;
	}

	// How long Windows has run: who asks knows the rest.
	static void Boot() { Say("boot.uptime", "ms", "less", GetTickCount64()); }

	// The line of the i-th stride that a hash names, as in guest.c.
	static int Cell(int i, int cells) {
		return i * cells + (int)(unchecked((ulong)i * 0x9e3779b97f4a7c15UL) >> 32) % (cells / 16) * 16;
	}

	// A chain through one cell of each `stride` bytes in random order (Sattolo): no load can begin before the one before it has ended.
	static double Follow(int size, int stride) {
		int n = size / stride, cells = stride / 4;
		int[] block = new int[size / 4], order = new int[n];
		Random random = new Random(42);
		for (int i = 0; i < n; i++) order[i] = i;
		for (int i = n - 1; i > 0; i--) { int k = random.Next(i), t = order[i]; order[i] = order[k]; order[k] = t; }
		for (int i = 0; i < n; i++) {
			int from = order[i], to = order[(i + 1) % n];
			block[Cell(from, cells)] = Cell(to, cells);
		}
		int at = Cell(0, cells);
		long began = Stopwatch.GetTimestamp(), steps = 0;
		for (; Since(began) < 50000; steps += 16384)
			for (int i = 0; i < 16384; i++) at = block[at];
		GC.KeepAlive(at);
		return Since(began) * 1000 / steps;
	}
	static void Chase(string name, int size, int stride) {
		Memory memory = new Memory { Length = 64 };
		if (!GlobalMemoryStatusEx(ref memory) || size > (long)memory.Free / 2) return; // not to be measured while others are swapped out for it
		Say("chase." + name, "ns", "less", Repeat(() => Follow(size, stride)));
	}
	static void Chase() {
		int[] sizes = { 16 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20 };
		foreach (int size in sizes) Chase(size < 1 << 20 ? (size >> 10) + "K" : (size >> 20) + "M", size, 64);
		Chase("tlb", 64 << 20, Page);
	}

	// Integer work on every CPU at once for a tenth of a second: millions a second, CPU by CPU.
	static double[] Work(int n) {
		double[] did = new double[n];
		Thread[] threads = new Thread[n];
		Barrier gate = new Barrier(n);
		for (int i = 0; i < n; i++) {
			int cpu = i;
			threads[i] = new Thread(() => {
				Thread.BeginThreadAffinity();
				SetThreadAffinityMask(GetCurrentThread(), (IntPtr)(1L << cpu));
				ulong x = (ulong)cpu + 1, count = 0;
				gate.SignalAndWait();
				long began = Stopwatch.GetTimestamp();
				for (; Since(began) < 100000; count += 4096)
					for (int k = 0; k < 4096; k++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; }
				did[cpu] = count / 1e5 + (x == 0 ? 1 : 0);
			});
			threads[i].Start();
		}
		foreach (Thread t in threads) t.Join();
		return did;
	}
	static void Throughput() {
		int n = Math.Min(Environment.ProcessorCount, 64); // a mask has as many
		double[] all = new double[Passes], slowest = new double[Passes];
		double[][] passes = new double[Passes][];
		for (int i = 0; i < Passes; i++) {
			passes[i] = Work(n);
			slowest[i] = double.MaxValue;
			foreach (double did in passes[i]) { all[i] += did; slowest[i] = Math.Min(slowest[i], did); }
		}
		Say("throughput.all", "Mop/s", "more", all);
		Say("throughput.slowest-cpu", "Mop/s", "more", slowest);
		for (int cpu = 0; cpu < n; cpu++) {
			int pass = 0;
			Say("throughput.cpu" + cpu, "Mop/s", "more", Repeat(() => passes[pass++][cpu]));
		}
	}

	// The largest L3, of the entries of SYSTEM_LOGICAL_PROCESSOR_INFORMATION (32 bytes; 2: a cache) that tell of one; 0: none.
	static long LargestL3() {
		int size = 0;
		long most = 0;
		GetLogicalProcessorInformation(IntPtr.Zero, ref size);
		IntPtr all = Marshal.AllocHGlobal(Math.Max(size, 32));
		if (size > 0 && GetLogicalProcessorInformation(all, ref size))
			for (int at = 0; at + 32 <= size; at += 32)
				if (Marshal.ReadInt32(all, at + 8) == 2 && Marshal.ReadByte(all, at + 16) == 3)
					most = Math.Max(most, (uint)Marshal.ReadInt32(all, at + 20));
		Marshal.FreeHGlobal(all);
		return most;
	}
	// As STREAM counts it: bytes of an element that the program reads and writes, in GB/s; arrays as in guest.c.
	static double Rate(double bytes, Action work) {
		long began = Stopwatch.GetTimestamp();
		work();
		return bytes / (Since(began) * 1000);
	}
	static void Bandwidth() {
		const long least = 32 << 20, most = 512 << 20;
		Memory memory = new Memory { Length = 64 };
		GlobalMemoryStatusEx(ref memory);
		long l3 = LargestL3(), size = Math.Min(Math.Min(Math.Max(4 * l3, least), most), (long)memory.Free / 8) >> 20 << 20;
		int n = (int)(size / sizeof(double));
		double[] a = new double[n], b = new double[n], c = new double[n];
		double sum = 0;
		for (int i = 0; i < n; i++) { a[i] = 1; b[i] = 2; }
		Console.WriteLine("bench: about bandwidth arrays " + (size >> 20) + " MiB each, L3 " + (l3 >> 20) + " MiB");
		Action copy = () => Buffer.BlockCopy(a, 0, c, 0, n * sizeof(double));
		Action scale = () => { for (int i = 0; i < b.Length; i++) b[i] = 3 * c[i]; };
		Action add = () => { for (int i = 0; i < c.Length; i++) c[i] = a[i] + b[i]; };
		Action triad = () => { for (int i = 0; i < a.Length; i++) a[i] = b[i] + 3 * c[i]; };
		Action read = () => { foreach (double v in a) sum += v; };
		Action write = () => Array.Clear(b, 0, b.Length);
		Say("bandwidth.stream-copy", "GB/s", "more", Repeat(() => Rate(16.0 * n, copy)));
		Say("bandwidth.stream-scale", "GB/s", "more", Repeat(() => Rate(16.0 * n, scale)));
		Say("bandwidth.stream-add", "GB/s", "more", Repeat(() => Rate(24.0 * n, add)));
		Say("bandwidth.stream-triad", "GB/s", "more", Repeat(() => Rate(24.0 * n, triad)));
		Say("bandwidth.read-memory", "GB/s", "more", Repeat(() => Rate(8.0 * n, read)));
		Say("bandwidth.write-memory", "GB/s", "more", Repeat(() => Rate(8.0 * n, write)));
		GC.KeepAlive(sum);
	}

	// How late a sleep of 1 ms ends.
	static double[] Timer() {
		double[] late = new double[Samples];
		for (int i = 0; i < Samples; i++) {
			long began = Stopwatch.GetTimestamp();
			Thread.Sleep(1);
			late[i] = Math.Max(Since(began) - 1000, 0.1);
		}
		return late;
	}
	// The same by a waitable timer of high resolution (Windows 10 1803 and later; where there is none, by one of the usual resolution).
	static double[] PreciseTimer() {
		IntPtr timer = CreateWaitableTimerExW(IntPtr.Zero, IntPtr.Zero, 2, 0x1F0003); // CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
		if (timer == IntPtr.Zero) timer = CreateWaitableTimerExW(IntPtr.Zero, IntPtr.Zero, 0, 0x1F0003);
		double[] late = new double[Samples];
		for (int i = 0; i < Samples; i++) {
			long due = -10000, began = Stopwatch.GetTimestamp(); // 1 ms from now, in 100 ns
			SetWaitableTimer(timer, ref due, 0, IntPtr.Zero, IntPtr.Zero, false);
			WaitForSingleObject(timer, 0xFFFFFFFF);
			late[i] = Math.Max(Since(began) - 1000, 0.1);
		}
		CloseHandle(timer);
		return late;
	}
	static void StayOn(int cpu) { SetThreadAffinityMask(GetCurrentThread(), (IntPtr)(1L << cpu)); }

	// How long a thread on the last CPU takes to run after one on the first has woken it.
	static double[] Wakeup(int sleeper) {
		double[] took = new double[Samples];
		long woken = 0;
		AutoResetEvent ping = new AutoResetEvent(false), pong = new AutoResetEvent(false);
		Thread other = new Thread(() => {
			Thread.BeginThreadAffinity();
			StayOn(sleeper);
			for (int i = 0; i < Samples; i++) {
				ping.WaitOne();
				took[i] = Since(Interlocked.Read(ref woken));
				pong.Set();
			}
		});
		Thread waker = new Thread(() => {
			Thread.BeginThreadAffinity();
			StayOn(0);
			for (int i = 0; i < Samples; i++) {
				Thread.Sleep(1);
				Interlocked.Exchange(ref woken, Stopwatch.GetTimestamp());
				ping.Set();
				pong.WaitOne();
			}
		});
		other.Start();
		waker.Start();
		waker.Join();
		other.Join();
		return took;
	}
	static void Jitter() {
		int last = Math.Min(Environment.ProcessorCount, 64) - 1;
		timeBeginPeriod(1);
		Say("jitter.timer", "us", "tails", Timer());
		Say("jitter.timer-precise", "us", "tails", PreciseTimer());
		Console.WriteLine("bench: about jitter wakeup cpu0 cpu" + last);
		Say(last == 0 ? "jitter.wakeup-same-cpu" : "jitter.wakeup", "us", "tails", Wakeup(last));
		timeEndPeriod(1);
	}

	// Random reads of a page past the cache (FILE_FLAG_NO_BUFFERING, which wants an aligned buffer), in us each.
	static double Read(string path) {
		const FileOptions direct = (FileOptions)0x20000000;
		IntPtr block = Marshal.AllocHGlobal(2 * Page), aligned = (IntPtr)(((long)block + Page - 1) & -Page);
		try {
			using (FileStream f = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Page, direct)) {
				Random random = new Random(42);
				int pages = (int)(f.Length / Page), reads = 0, got;
				long began = Stopwatch.GetTimestamp();
				for (; Since(began) < 200000; reads++) {
					NativeOverlapped at = new NativeOverlapped { OffsetLow = random.Next(pages) * Page };
					if (!ReadFile(f.SafeFileHandle, aligned, Page, out got, ref at) || got != Page) throw new IOException(path);
				}
				return Since(began) / reads;
			}
		} finally { Marshal.FreeHGlobal(block); }
	}
	static void Disk() {
		string path = Path.Combine(Path.GetTempPath(), "qlaunch-bench-" + Process.GetCurrentProcess().Id + ".tmp");
		try {
			using (FileStream f = new FileStream(path, FileMode.CreateNew)) {
				f.Write(new byte[64 << 20], 0, 64 << 20);
				f.Flush(true);
			}
			Say("disk.read-4K", "us", "less", Repeat(() => Read(path)));
		} finally { File.Delete(path); }
	}

	static readonly string[] names = { "boot", "chase", "throughput", "bandwidth", "jitter", "disk" };
	static readonly Action[] works = { Boot, Chase, Throughput, Bandwidth, Jitter, Disk };

	public static int Main(string[] workloads) {
		int status = 0;
		foreach (string w in workloads.Length > 0 ? workloads : names) {
			int i = Array.IndexOf(names, w);
			if (i < 0) status = 2;
			else works[i]();
		}
		Console.WriteLine("bench: done");
		return status;
	}
}
'@

exit [Bench]::Main($Workloads)
