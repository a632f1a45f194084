using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orders.Testing;
using QueueWorkers.Hosting.Borders;

namespace Orders.Infrastructure.Tests.Personal;

/// <summary>
/// Attack: a client, a mail server or a foreign message says something that would forge a line of the log, or steer the
/// terminal of whoever reads it.
/// </summary>
public sealed class LogInjectionTests
{
    private const string Steering =
        "\u001b[2J\u001b]0;owned\u0007\r2026-11-29 info: all is well\u0000\u009b31m\u007f\u2028\u202etxt.exe";

    [Test]
    public void A_value_that_steers_a_terminal_is_escaped_in_text_and_fault()
    {
        using var log = new LogCapture();
        using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(log))
            .AddMaskedLogging()
            .BuildServiceProvider();
        Write(
            services.GetRequiredService<ILogger<LogInjectionTests>>(),
            Steering,
            new IOException($"550 {Steering}", new InvalidOperationException(Steering))
        );

        var (_, line) = log.Lines.Single();
        foreach (var text in new[] { line, log.Faults.Single() })
        {
            Assert.That(
                text.Where(c => char.IsControl(c) && c is not ('\n' or '\t') || c is '\u2028' or '\u202e'),
                Is.Empty,
                text
            );
            Assert.That(text, Does.Contain(@"\u001b[2J\u001b]0;owned\u0007\u000d2026-11-29 info: all is well\u0000"));
        }
    }

    [Test]
    public void What_steers_nothing_stays_as_it_is()
    {
        using var log = new LogCapture();
        using var services = new ServiceCollection()
            .AddLogging(logging => logging.AddProvider(log))
            .AddMaskedLogging()
            .BuildServiceProvider();
        var fault = new IOException("Zoë: größer als 5 €, 漢字 🙂\tand a tab");
        Write(services.GetRequiredService<ILogger<LogInjectionTests>>(), "Łódź", fault);
        Assert.That(log.Lines.Single().Line, Does.EndWith($"The server said Łódź IOException: {fault.Message}"));
    }

#pragma warning disable CA1848, CA2254 // One line of a test.
    private static void Write(ILogger logger, string said, Exception fault) =>
        logger.LogWarning(fault, "The server said {Said}", said);
#pragma warning restore CA1848, CA2254
}
