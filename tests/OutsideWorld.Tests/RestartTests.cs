using System.Net;
using System.Net.Http.Json;
using MailKit.Net.Smtp;
using MailKit.Security;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Tests;

/// <summary>With a data directory, what the world has seen outlives it.</summary>
public sealed class RestartTests
{
    private string directory = null!;

    [SetUp]
    public void MakeDirectory() => directory = Directory.CreateTempSubdirectory("outside-world-").FullName;

    [TearDown]
    public void RemoveDirectory() => Directory.Delete(directory, recursive: true);

    private Task<RunningWorld> StartAsync() =>
        OutsideWorldHost.StartAsync(options => options.DataDirectory = Path.Combine(directory, "ledgers"));

    private string File(string name) => Path.Combine(directory, "ledgers", name);

    private static async Task SendAsync(RunningWorld world, string id)
    {
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", world.SmtpPort, SecureSocketOptions.None);
        var mail = new MimeKit.MimeMessage
        {
            Subject = "Grüße, Zoë",
            MessageId = id,
            Body = new MimeKit.TextPart("plain") { Text = "two\nlines" },
        };
        mail.From.Add(new MimeKit.MailboxAddress("", "orders@example.com"));
        mail.To.Add(new MimeKit.MailboxAddress("", "zoe@example.com"));
        try
        {
            await client.SendAsync(mail);
        }
        catch (SmtpCommandException refused) when (refused.StatusCode == SmtpStatusCode.MailboxUnavailable)
        {
            // Asked for by the test.
        }
    }

    private static async Task<HttpStatusCode> CallAsync(RunningWorld world)
    {
        using var http = new HttpClient { BaseAddress = world.BaseUri };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/warehouse")
        {
            Content = JsonContent.Create(new { orderId = "order-1" }),
        };
        request.Headers.Add("Idempotency-Key", "key-1");
        using var answer = await http.SendAsync(request);
        return answer.StatusCode;
    }

    [Test]
    public async Task A_restart_keeps_mails_calls_repeats_and_accepted_keys()
    {
        await using (var world = await StartAsync())
        {
            await SendAsync(world, "one@orders.example");
            world.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Reject));
            await SendAsync(world, "two@orders.example");
            world.Warehouse.RecordFailure("order-1", "key-1", 503);
            await CallAsync(world);
            await CallAsync(world);
        }

        await using (var world = await StartAsync())
        {
            Assert.That(await CallAsync(world), Is.EqualTo(HttpStatusCode.OK));
            Assert.That(
                world.Mails.Delivered.Single(),
                Has.Property("Subject")
                    .EqualTo("Grüße, Zoë")
                    .And.Property("Text")
                    .EqualTo("two\nlines")
                    .And.Property("To")
                    .EqualTo("zoe@example.com")
            );
            Assert.That(
                world.Mails.Everything.Select(mail => (mail.MessageId, mail.Outcome)),
                Is.EqualTo(
                    new[]
                    {
                        ("one@orders.example", ReceptionOutcome.Accepted),
                        ("two@orders.example", ReceptionOutcome.Rejected),
                    }
                )
            );
            Assert.That(
                world.Warehouse.Calls.Select(call => (call.Answer, call.Repeats)),
                Is.EqualTo(new[] { (503, 0), (200, 2) })
            );
            Assert.That(world.Behaviour.Smtp.Current.Mode, Is.EqualTo(SmtpMode.Ok), "behaviour is not evidence");
        }
    }

    [Test]
    public async Task A_line_left_unfinished_by_a_kill_costs_that_line_only()
    {
        await using (var world = await StartAsync())
            await SendAsync(world, "one@orders.example");
        await System.IO.File.AppendAllTextAsync(File("mails.jsonl"), """{"messageId":"half""");
        await using (var world = await StartAsync())
            await SendAsync(world, "two@orders.example");

        await using var third = await StartAsync();
        Assert.That(
            third.Mails.Delivered.Select(mail => mail.MessageId),
            Is.EqualTo(new[] { "one@orders.example", "two@orders.example" })
        );
    }

    [Test]
    public async Task What_was_deleted_stays_deleted()
    {
        await using (var world = await StartAsync())
        {
            await SendAsync(world, "one@orders.example");
            await CallAsync(world);
            world.Mails.Clear();
            world.Warehouse.Clear();
        }

        await using var second = await StartAsync();
        Assert.That(second.Mails.Everything, Is.Empty);
        Assert.That(second.Warehouse.Calls, Is.Empty);
    }

    [TestCase("mails.jsonl")]
    [TestCase("warehouse.jsonl")]
    public async Task A_ledger_that_cannot_be_read_stops_the_start_with_file_and_line(string name)
    {
        Directory.CreateDirectory(Path.Combine(directory, "ledgers"));
        await System.IO.File.WriteAllTextAsync(File(name), "nonsense\n");

        Assert.That(
            StartAsync,
            Throws.TypeOf<IOException>().With.Message.Contains($"{name}:1: expected one ledger entry")
        );
    }

    [Test]
    public async Task Two_worlds_cannot_share_a_directory()
    {
        await using var first = await StartAsync();

        Assert.That(StartAsync, Throws.TypeOf<IOException>().With.Message.Contains("OutsideWorld__DataDirectory"));
    }
}
