using Orders.Contracts;
using Orders.OutsideWorld.Faults;
using Orders.Testing;
using Orders.Workers.Email;
using QueueWorkers.FlowControl.CircuitBreakers;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that nobody can ask afterwards, in each of its modes: the mail that it takes at last is the one whose
/// reply is lost. The customer has one mail, and a person decides.
/// </summary>
[NonParallelizable]
public sealed class LostReplyTests : InstallationFixture
{
    private string _authority = null!;

    [OneTimeSetUp]
    public async Task WriteTheAuthority() =>
        await File.WriteAllTextAsync(_authority = Path.GetTempFileName(), World.SmtpAuthority);

    [OneTimeTearDown]
    public void DeleteIt() => File.Delete(_authority);

    [TearDown]
    public async Task BehaveWell()
    {
        World.Behaviour.Smtp.Set(new(SmtpMode.Ok));
        await TestSystem.Database.ExecuteAsync("delete from dependency_calls");
        await TestSystem.Database.ExecuteAsync(
            $"update breakers set state = {BreakerState.Closed:D}, trips = 0, opened_at = null, retry_at = null, probe_by = null, probe_until = null"
        );
    }

    // A mode that takes no mail is over before the reply is lost.
    [TestCase(SmtpMode.Ok, true)]
    [TestCase(SmtpMode.StrictEhlo, true)]
    [TestCase(SmtpMode.Greylist, true)]
    [TestCase(SmtpMode.AuthStartTls, true)]
    [TestCase(SmtpMode.AuthTls, true)]
    [TestCase(SmtpMode.FewConnections, true)]
    [TestCase(SmtpMode.Quota, false)]
    [TestCase(SmtpMode.FullMailbox, false)]
    [TestCase(SmtpMode.TempFail, false)]
    public async Task A_mail_whose_reply_is_lost_is_sent_once_and_then_uncertain(SmtpMode mode, bool takesMails)
    {
        World.Behaviour.Smtp.Set(new(mode) { LoseReply = takesMails });
        await using var host = await StartAsync("email", [("Email:ReceiptsUrl", null), .. LoginOf(mode)]);
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        if (!takesMails)
        {
            await Eventually.That(() => Task.FromResult(World.Mails.Everything), Is.Not.Empty, "refused mails");
            World.Behaviour.Smtp.Set(new(SmtpMode.Vanish));
        }

        await UntilInTheEndAsync(order, "email", StepStatus.Uncertain);
        Assert.That(
            World.Mails.Delivered.Count(m => m.MessageId == MessageIds.For("email", order, "orders.example")),
            Is.EqualTo(1)
        );
        World.Mails.Clear();
    }

    private IEnumerable<(string Name, string? Value)> LoginOf(SmtpMode mode) =>
        mode is SmtpMode.AuthStartTls or SmtpMode.AuthTls
            ?
            [
                ("Email:Smtp:Security", mode == SmtpMode.AuthTls ? "SslOnConnect" : "StartTls"),
                ("Email:Smtp:Username", "orders"),
                ("Email:Smtp:Password", "let me in"),
                ("Email:Smtp:CaFile", _authority),
                ("Email:Smtp:CheckRevocation", "false"),
            ]
            : [];
}
