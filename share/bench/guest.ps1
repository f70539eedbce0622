# SPDX-License-Identifier: GPL-2.0-or-later
# guest.ps1: what guest.c is, for a Windows guest: the same words in, the same lines out. For Windows PowerShell 5.1 and later.
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File guest.ps1 WORKLOAD...
#
# Each result is a line of its own, "bench: METRIC UNIT less|more|tails VALUE...", the last one is "bench: done". What is measured is in C#:
# loops of PowerShell itself would measure PowerShell. It writes one temporary file, for the disk, and removes it.
param([Parameter(ValueFromRemainingArguments = $true)][string[]]$Workloads = @('boot', 'chase', 'throughput', 'bandwidth', 'jitter', 'disk'))
$ErrorActionPreference = 'Stop'
$passes = 3

Add-Type -TypeDefinition @'
using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;

public static class Bench {
	[DllImport("kernel32.dll")] static extern IntPtr GetCurrentThread();
	[DllImport("kernel32.dll")] static extern IntPtr SetThreadAffinityMask(IntPtr thread, IntPtr mask);
	[DllImport("winmm.dll")] static extern uint timeBeginPeriod(uint ms);
	[DllImport("winmm.dll")] static extern uint timeEndPeriod(uint ms);

	static double Us(long ticks) { return ticks * 1e6 / Stopwatch.Frequency; }

	// A chain through one cell of each `stride` bytes in random order (Sattolo): no load can begin before the one before it has ended.
	public static double Chase(int size, int stride) {
		int n = size / stride, cells = stride / 4;
		int[] block = new int[size / 4], order = new int[n];
		Random random = new Random(42);
		for (int i = 0; i < n; i++) order[i] = i;
		for (int i = n - 1; i > 0; i--) { int k = random.Next(i), t = order[i]; order[i] = order[k]; order[k] = t; }
		for (int i = 0; i < n; i++) {
			int from = order[i], to = order[(i + 1) % n]; // another line of each page, as in guest.c
			block[from * cells + from * 16 % cells] = to * cells + to * 16 % cells;
		}
		int at = 0;
		long began = Stopwatch.GetTimestamp(), steps = 0;
		for (; Us(Stopwatch.GetTimestamp() - began) < 50000; steps += 16384)
			for (int i = 0; i < 16384; i++) at = block[at];
		GC.KeepAlive(at);
		return Us(Stopwatch.GetTimestamp() - began) * 1000 / steps;
	}

	// Integer work on every CPU at once for a tenth of a second: millions a second, CPU by CPU.
	public static double[] Throughput() {
		int n = Math.Min(Environment.ProcessorCount, 64);
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
				for (; Us(Stopwatch.GetTimestamp() - began) < 100000; count += 4096)
					for (int k = 0; k < 4096; k++) { x ^= x << 13; x ^= x >> 7; x ^= x << 17; }
				did[cpu] = count / 1e5 + (x == 0 ? 1 : 0);
			});
			threads[i].Start();
		}
		foreach (Thread t in threads) t.Join();
		return did;
	}

	// GB/s
	public static double Copy() {
		byte[] a = new byte[32 << 20], b = new byte[32 << 20];
		Buffer.BlockCopy(a, 0, b, 0, a.Length);
		long began = Stopwatch.GetTimestamp();
		for (int k = 0; k < 4; k++) Buffer.BlockCopy(a, 0, b, 0, a.Length);
		return 4.0 * a.Length / (Us(Stopwatch.GetTimestamp() - began) * 1000);
	}

	// How late a sleep of 1 ms ends.
	public static double[] Timer(int n) {
		double[] late = new double[n];
		timeBeginPeriod(1);
		for (int i = 0; i < n; i++) {
			long began = Stopwatch.GetTimestamp();
			Thread.Sleep(1);
			late[i] = Math.Max(Us(Stopwatch.GetTimestamp() - began) - 1000, 0.1);
		}
		timeEndPeriod(1);
		return late;
	}

	// How long a thread takes to run after another has woken it.
	public static double[] Wakeup(int n) {
		double[] took = new double[n];
		long woken = 0;
		AutoResetEvent ping = new AutoResetEvent(false), pong = new AutoResetEvent(false);
		Thread other = new Thread(() => {
			for (int i = 0; i < n; i++) {
				ping.WaitOne();
				took[i] = Us(Stopwatch.GetTimestamp() - Interlocked.Read(ref woken));
				pong.Set();
			}
		});
		other.Start();
		for (int i = 0; i < n; i++) {
			Thread.Sleep(1);
			Interlocked.Exchange(ref woken, Stopwatch.GetTimestamp());
			ping.Set();
			pong.WaitOne();
		}
		other.Join();
		return took;
	}

	// Random reads of 4 KiB past the cache (FILE_FLAG_NO_BUFFERING), in µs each.
	public static double Read(string path) {
		const System.IO.FileOptions direct = (System.IO.FileOptions)0x20000000;
		using (var f = new System.IO.FileStream(path, System.IO.FileMode.Open, System.IO.FileAccess.Read, System.IO.FileShare.Read, 4096, direct)) {
			byte[] block = new byte[4096];
			Random random = new Random(42);
			int pages = (int)(f.Length / 4096), reads = 0;
			long began = Stopwatch.GetTimestamp();
			for (; Us(Stopwatch.GetTimestamp() - began) < 200000; reads++) {
				f.Position = (long)random.Next(pages) * 4096;
				f.Read(block, 0, block.Length);
			}
			return Us(Stopwatch.GetTimestamp() - began) / reads;
		}
	}
}
'@

function Say($metric, $unit, $better, $values) {
	$text = ($values | ForEach-Object { ([double]$_).ToString('G6', [Globalization.CultureInfo]::InvariantCulture) }) -join ' '
	"bench: $metric $unit $better $text"
}
function Repeat([scriptblock]$work) { 1..$passes | ForEach-Object { & $work } }

function Measure-Boot { # how long the kernel has run: who asks knows the rest
	$began = (Get-CimInstance Win32_OperatingSystem).LastBootUpTime
	Say 'boot.uptime' 'ms' 'less' ((Get-Date) - $began).TotalMilliseconds
}
function Measure-Chase {
	$sizes = [ordered]@{ '16K' = 16KB; '256K' = 256KB; '1M' = 1MB; '4M' = 4MB; '16M' = 16MB; '64M' = 64MB; '256M' = 256MB }
	foreach ($name in $sizes.Keys) { Say "chase.$name" 'ns' 'less' (Repeat { [Bench]::Chase($sizes[$name], 64) }) }
	Say 'chase.tlb' 'ns' 'less' (Repeat { [Bench]::Chase(64MB, 4096) })
}
function Measure-Throughput {
	$runs = @(1..$passes | ForEach-Object { , [Bench]::Throughput() })
	Say 'throughput.all' 'Mop/s' 'more' ($runs | ForEach-Object { ($_ | Measure-Object -Sum).Sum })
	Say 'throughput.slowest-cpu' 'Mop/s' 'more' ($runs | ForEach-Object { ($_ | Measure-Object -Minimum).Minimum })
	for ($cpu = 0; $cpu -lt $runs[0].Length; $cpu++) { Say "throughput.cpu$cpu" 'Mop/s' 'more' ($runs | ForEach-Object { $_[$cpu] }) }
}
function Measure-Bandwidth { Say 'bandwidth.copy' 'GB/s' 'more' (Repeat { [Bench]::Copy() }) }
function Measure-Jitter {
	Say 'jitter.timer' 'us' 'tails' ([Bench]::Timer(1000))
	Say 'jitter.wakeup' 'us' 'tails' ([Bench]::Wakeup(1000))
}
function Measure-Disk {
	$path = Join-Path ([IO.Path]::GetTempPath()) 'qlaunch-bench.tmp'
	try {
		[IO.File]::WriteAllBytes($path, (New-Object byte[] (64MB)))
		Say 'disk.read-4K' 'us' 'less' (Repeat { [Bench]::Read($path) })
	} finally { Remove-Item -Force -ErrorAction SilentlyContinue $path }
}

$known = @{ boot = 'Boot'; chase = 'Chase'; throughput = 'Throughput'; bandwidth = 'Bandwidth'; jitter = 'Jitter'; disk = 'Disk' }
$bad = 0
foreach ($word in $Workloads) {
	if ($known.ContainsKey($word)) { & "Measure-$($known[$word])" } else { $bad++ }
}
'bench: done'
if ($bad) { exit 2 }
