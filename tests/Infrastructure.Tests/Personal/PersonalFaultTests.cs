using System.Diagnostics;
using System.Text;
using Orders.Infrastructure.Tests.Steps;
using Orders.Testing;
using Orders.Testing.Servers;
using Orders.Testing.Zoo;
using QueueWorkers.GroupCommit;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Personal;

/// <summary>
/// A fault quotes what it met, deep inside: a mail server's reply with the address, a row that the database refused, a
/// customer's name. None of it leaves the step: not to the log, the traces, the dead-lettered message or the tables.
/// </summary>
public sealed class PersonalFaultTests() : ZooFixture("patient,hurried")
{
    private const string Name = "Zoë Müller-Lüdenscheidt";

    private static readonly string[] Secrets = ["zoe.mueller@example.com", "Lüdenscheidt", "Hafenstr. 17", "0171-555"];

    [TestCase("patient", 6, false)]
    [TestCase("hurried", 1, true)]
    public async Task Personal_data_in_a_fault_within_a_fault_does_not_leave_the_step(
        string step,
        int runs,
        bool isPermanent
    )
    {
        var animal = Guid.NewGuid();
        Script.For(
            animal,
            (context, _) =>
            {
                PersonalText.Hide(Name, "Hafenstr. 17");
                context.Step().Report.Log($"writes to {Name}, zoe.mueller@example.com");
                var reply = new IOException($"550 <zoe.mueller@example.com> unknown; {Name}, Hafenstr. 17");
                var row = new InvalidOperationException(
                    "23505: duplicate key\nDETAIL: Key (email, phone)=(zoe.mueller@example.com, 0171-555) already exists.",
                    reply
                );
                throw isPermanent
                    ? new PermanentFaultException($"The mail to {Name} was refused", row)
                    : new TimeoutException($"The mail to {Name} was not sent", row);
            }
        );
        using var traces = new TraceRecorder();
        using (TraceRecorder.Source.StartActivity("publisher"))
            await DeliverAsync(step, new Feed(animal), new ByHand { Id = animal });
        await Eventually.That(() => DeadLetteredAsync(step, animal), Is.EqualTo(1), "dead letters");
        Assert.That(Script.RunsOf(animal), Is.EqualTo(runs), "the masks change nothing about retries");

        var letter = (await TestSystem.Broker.PeekAllAsync($"{step}_error")).Single(m =>
            Encoding.UTF8.GetString(m.Body.Span).Contains(animal.ToString(), StringComparison.Ordinal)
        );
        var headers = letter.BasicProperties.Headers!.ToDictionary(
            h => h.Key,
            h => h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : $"{h.Value}"
        );
        AssertSafe("the headers", headers.Select(h => $"{h.Key}: {h.Value}"));
        Assert.That(
            (headers["MT-Fault-ExceptionType"], headers["MT-Fault-Message"]),
            Is.EqualTo(
                isPermanent
                    ? ("QueueWorkers.Steps.PermanentFaultException", "The mail to <personal> was refused")
                    : ("System.TimeoutException", "The mail to <personal> was not sent")
            ),
            "what happened is told all the same"
        );
        AssertSafe("the log", Host.Log.Lines.Select(l => l.Line));
        AssertSafe("faults in the log", Host.Log.Faults);
        Assert.That(
            string.Concat(Host.Log.Faults),
            Does.Contain("550 <address> unknown").And.Contain("Key (email, phone)=(…) already exists")
        );
        foreach (var table in new[] { "step_runs", "step_attempts", "failures", "step_reports" })
            AssertSafe(
                table,
                (await TestSystem.Database.RowsAsync($"select row_to_json(t)::text from {table} t")).Select(r =>
                    (string)r[0]!
                )
            );
        AssertSafe("the traces", traces.All.SelectMany(TextsOf));
    }

    private static void AssertSafe(string where, IEnumerable<string> texts)
    {
        string[] all = [.. texts];
        Assert.That(all, Is.Not.Empty, where);
        foreach (var secret in Secrets)
            Assert.That(
                all.Where(t => t.Contains(secret, StringComparison.OrdinalIgnoreCase)),
                Is.Empty,
                $"{where} must not hold '{secret}'"
            );
    }

    private static IEnumerable<string> TextsOf(Activity activity) =>
        [
            activity.DisplayName,
            activity.StatusDescription ?? "",
            .. activity.TagObjects.Select(t => $"{t.Value}"),
            .. activity.Events.SelectMany(e => e.Tags).Select(t => $"{t.Value}"),
        ];
}
