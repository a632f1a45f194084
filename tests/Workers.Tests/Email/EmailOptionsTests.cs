using Orders.Workers.Email;
using QueueWorkers.Hosting;

namespace Orders.Workers.Tests.Email;

public sealed class EmailOptionsTests
{
    [Test]
    public void Host_and_sender_are_enough()
    {
        var options = EmailOptions.Read(
            Settings.Of(("Email:Smtp:Host", "mail.example"), ("Email:From", "Orders <orders@orders.example>"))
        );

        Assert.That(
            (options.Smtp.Port, options.SendTimeout, options.ReceiptsUrl),
            Is.EqualTo((25, TimeSpan.FromSeconds(15), (Uri?)null))
        );
        Assert.That(
            (options.Sender.Domain, options.Smtp.EhloName),
            Is.EqualTo(("orders.example", "orders.example")),
            "the container's id is no host name"
        );
    }

    [Test]
    public void A_configuration_that_cannot_work_is_refused_with_every_problem_and_its_remedy()
    {
        var refusal = Assert.Throws<InvalidConfigurationException>(() =>
            EmailOptions.Read(
                Settings.Of(
                    ("Email:Smtp:Port", "0"),
                    ("Email:Smtp:Security", "Perhaps"),
                    ("Email:Smtp:Password", "hunter2"),
                    ("Email:Smtp:EhloName", "3f2a"),
                    ("Email:From", "nobody"),
                    ("Email:ReportsTo", "zoë@orders.example"),
                    ("Email:SendTimeout", "1.00:00:00"),
                    ("Email:ReceiptsUrl", "mails")
                )
            )
        )!;

        foreach (
            var variable in (string[])
                [
                    "Smtp__Host",
                    "Smtp__Port",
                    "Smtp__Security",
                    "Smtp__Username",
                    "Smtp__EhloName",
                    "From",
                    "ReportsTo",
                    "SendTimeout",
                    "ReceiptsUrl",
                ]
        )
            Assert.That(refusal.Message, Does.Contain("Email__" + variable));
        Assert.That(refusal.Message, Does.Not.Contain("hunter2"));
    }

    [TestCase("CaFile", "Email:Smtp:CaFile", "CaFile=/nowhere/ca.pem")]
    [TestCase("a password in plain text", "plain text", "Username=shop", "Password=hunter2", "Security=None")]
    [TestCase("a password file that is missing", "PasswordFile", "Username=shop", "PasswordFile=/nowhere/password")]
    [TestCase("two passwords", "not both", "Username=shop", "Password=hunter2", "PasswordFile=/etc/hostname")]
    [TestCase("a name alone", "both be set", "Username=shop")]
    [TestCase("a token without a name", "both be set", "OAuth:TokenFile=/etc/hostname")]
    [TestCase("two logins", "only one", "Username=shop", "Password=hunter2", "OAuth:TokenFile=/etc/hostname")]
    [TestCase("no client", "OAuth__ClientId", "Username=shop", "OAuth:TokenUrl=https://login.example/token")]
    [TestCase("no address", "OAuth__TokenUrl", "Username=shop", "OAuth:TokenUrl=login")]
    [TestCase("neither yes nor no", "CheckRevocation", "CheckRevocation=perhaps")]
    public void A_login_that_cannot_work_is_refused_at_the_start(string what, string said, params string[] settings) =>
        Assert.That(
            () =>
                EmailOptions.Read(
                    Settings.Of([
                        ("Email:Smtp:Host", "mail.example"),
                        ("Email:From", "orders@orders.example"),
                        .. settings.Select(s => ($"Email:Smtp:{s.Split('=')[0]}", (string?)s.Split('=')[1])),
                    ])
                ),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains(said)
                .And.Message.Not.Contains("hunter2"),
            what
        );

    [TestCase("orders@bücher.example", null, "xn--bcher-kva.example")]
    [TestCase("orders@orders.example", "mx7.orders.example", "mx7.orders.example")]
    public void The_EHLO_name_is_the_configured_one_or_the_senders_domain(
        string from,
        string? configured,
        string expected
    )
    {
        var options = EmailOptions.Read(
            Settings.Of(("Email:Smtp:Host", "mail.example"), ("Email:From", from), ("Email:Smtp:EhloName", configured))
        );

        Assert.That(options.Smtp.EhloName, Is.EqualTo(expected));
    }

    [TestCase(null)]
    [TestCase("outside-world")]
    public void Receipts_of_another_mail_server_are_refused(string? of)
    {
        var refusal = Assert.Throws<InvalidConfigurationException>(() =>
            EmailOptions.Read(
                Settings.Of(
                    ("Email:Smtp:Host", "mail.example"),
                    ("Email:From", "orders@orders.example"),
                    ("Email:ReceiptsUrl", "http://outside-world:8025/mails"),
                    ("Email:ReceiptsOf", of)
                )
            )
        )!;

        Assert.That(
            refusal.Message,
            Does.Contain("Email:ReceiptsOf must be the mail server")
                .And.Contain("'mail.example'")
                .And.Contain("Email__ReceiptsUrl")
        );
    }

    [Test]
    public void Receipts_of_the_mail_server_are_asked_for_whatever_the_case_of_its_name()
    {
        var options = EmailOptions.Read(
            Settings.Of(
                ("Email:Smtp:Host", "Mail.example"),
                ("Email:From", "orders@orders.example"),
                ("Email:ReceiptsUrl", "http://mail.example/mails"),
                ("Email:ReceiptsOf", "mail.example")
            )
        );

        Assert.That(options.ReceiptsUrl, Is.EqualTo(new Uri("http://mail.example/mails")));
    }

    [Test]
    public void A_run_with_all_its_waits_ends_before_its_lease_and_its_time_limit()
    {
        var options = EmailOptions.Read(
            Settings.Of(
                ("Email:Smtp:Host", "mail.example"),
                ("Email:From", "orders@orders.example"),
                ("Email:SendTimeout", "00:00:20")
            )
        );

        Assert.That(options.SendTimeout + Receipts.Timeout, Is.LessThan(options.Lease));
        Assert.That(options.SendTimeout + (2 * Receipts.Timeout), Is.LessThan(EmailStep.Policy.Timeout));
    }
}
