using System.Net;
using System.Net.Sockets;
using Orders.Contracts;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Smtp;
using Orders.Testing;
using Orders.Workers.Email;
using QueueWorkers.Steps;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that is not the demo's, configured by SMTP_HOST and SMTP_PORT alone, as docker-compose.yml says.
/// The demo's ledger knows nothing of its mails.
/// </summary>
public sealed class ForeignMailServerTests : InstallationFixture
{
    private const string DemoReceipts = "http://outside-world:8025/mails";

    [Test]
    public async Task The_receipts_of_the_demo_are_in_effect_only_for_the_mail_server_of_the_demo()
    {
        var demo = await EmailAsync();
        var named = await EmailAsync(("SMTP_HOST", "outside-world"));
        var foreign = await EmailAsync(("SMTP_HOST", "mail.example"), ("SMTP_PORT", "587"));

        Assert.Multiple(() =>
        {
            Assert.That((demo.Smtp.Host, demo.ReceiptsUrl?.ToString()), Is.EqualTo(("outside-world", DemoReceipts)));
            Assert.That((named.Smtp.Host, named.ReceiptsUrl?.ToString()), Is.EqualTo(("outside-world", DemoReceipts)));
            Assert.That(
                (foreign.Smtp.Host, foreign.Smtp.Port, foreign.ReceiptsUrl),
                Is.EqualTo(("mail.example", 587, (Uri?)null))
            );
        });
    }

    [Test]
    public async Task A_mail_whose_250_was_lost_is_sent_once_and_then_uncertain()
    {
        await using var foreign = await OutsideWorldHost.StartAsync();
        foreign.Behaviour.Smtp.Set(new(SmtpMode.Vanish));
        var compose = await ComposeSettings.OfAsync(
            "email",
            ("SMTP_HOST", "127.0.0.1"),
            ("SMTP_PORT", $"{foreign.SmtpPort}")
        );
        // The fixture's world plays the demo here, whose ledger answers that it does not know the mail.
        await using var host = await StartAsync(
            "email",
            [
                ("Email:ReceiptsUrl", null),
                ("Email:ReceiptsOf", null),
                .. compose
                    .Where(IsOfEmail)
                    .Select(v =>
                        (
                            NameOf(v.Key),
                            (string?)v.Value.Replace(DemoReceipts, new Uri(World.BaseUri, "mails").ToString())
                        )
                    ),
            ]
        );
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        await UntilInTheEndAsync(order, "email", StepStatus.Uncertain);

        Assert.That(
            foreign.Mails.Delivered.Select(m => m.MessageId),
            Is.EqualTo(new[] { MessageIds.For("email", order, "orders.example") })
        );
    }

    [Test]
    public async Task Nothing_is_claimed_before_the_mail_server_has_greeted()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var host = await StartAsync(
            "email",
            ("Email:ReceiptsUrl", null),
            ("Email:Smtp:Port", $"{((IPEndPoint)silent.LocalEndpoint).Port}")
        );
        var order = await TestSystem.StoreAsync();
        await DeliverAsync("email", order, new OrderAccepted(order, false, DateTimeOffset.UtcNow));
        using var client = await silent.AcceptTcpClientAsync();

        Assert.That(
            await TestSystem.Database.CountAsync("effects where subject_id = $1", order),
            Is.Zero,
            "a process that died here would leave an uncertain mail"
        );
    }

    [Test]
    public async Task The_login_of_the_environment_file_reaches_the_email_step_and_the_alerts()
    {
        foreach (var service in new[] { "email", "dashboard" })
        {
            var compose = await ComposeSettings.OfAsync(
                service,
                ("SMTP_HOST", "mail.example"),
                ("SMTP_SECURITY", "StartTls"),
                ("SMTP_USERNAME", "shop"),
                ("SMTP_OAUTH_TOKEN_FILE", "/etc/hostname")
            );
            var smtp = SmtpOptions.Read(
                Tests.Settings.Of([.. compose.Where(IsOfEmail).Select(v => (NameOf(v.Key), (string?)v.Value))])
            );

            Assert.That(
                (smtp.Host, smtp.Security, smtp.Username, smtp.OAuth.TokenFile, smtp.Password),
                Is.EqualTo(("mail.example", SmtpSecurity.StartTls, "shop", "/etc/hostname", (string?)null)),
                service
            );
        }
    }

    [TestCase("SMTP_HOST")]
    [TestCase("ALERTS_SMTP_HOST")]
    public async Task A_mail_server_that_offers_TLS_gets_it_without_a_setting(string host)
    {
        var compose = await ComposeSettings.OfAsync("dashboard", (host, "mail.example"));
        Assert.That(compose["Email__Smtp__Host"], Is.EqualTo("mail.example"));
        Assert.That(compose["Email__Smtp__Security"], Is.EqualTo("Auto"));
        Assert.That((await EmailAsync(("SMTP_HOST", "mail.example"))).Smtp.Security, Is.EqualTo(SmtpSecurity.Auto));
    }

    private static async Task<EmailOptions> EmailAsync(params (string Name, string Value)[] env) =>
        EmailOptions.Read(
            Tests.Settings.Of([
                .. (await ComposeSettings.OfAsync("email", env))
                    .Where(IsOfEmail)
                    .Select(v => (NameOf(v.Key), (string?)v.Value)),
            ])
        );

    private static bool IsOfEmail(KeyValuePair<string, string> variable) =>
        variable.Key.StartsWith("Email__", StringComparison.Ordinal);

    private static string NameOf(string variable) => variable.Replace("__", ":", StringComparison.Ordinal);
}
