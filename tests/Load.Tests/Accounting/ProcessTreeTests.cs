using System.Diagnostics;
using Orders.Bench.Load.Accounting;

namespace Orders.Bench.Load.Tests.Accounting;

[Platform("Linux")]
public sealed class ProcessTreeTests
{
    [Test]
    public void A_child_that_ended_is_still_paid_for()
    {
        // The inner shell burns CPU and ends; the outer one reaps it and stays until its input is closed.
        using var shell = Process.Start(
            new ProcessStartInfo(
                "bash",
                ["-c", "bash -c 'for ((i = 0; i < 150000; i++)); do :; done'; echo done; read -r"]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            }
        )!;
        Assert.That(shell.StandardOutput.ReadLine(), Is.EqualTo("done"));

        Assert.That(new ProcessTree("shell", shell.Id).Cpu(), Is.GreaterThan(TimeSpan.FromMilliseconds(100)));

        shell.StandardInput.Close();
        shell.WaitForExit();
    }

    [Test]
    public void A_process_that_is_gone_is_named_with_its_group() =>
        Assert.That(
            () => new ProcessTree("worker", int.MaxValue).Cpu(),
            Throws.InvalidOperationException.With.Message.Contains("group worker")
        );
}
