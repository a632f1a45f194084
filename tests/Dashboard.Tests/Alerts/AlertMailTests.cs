using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Orders.Dashboard.Alerts;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using QueueWorkers.Hosting;
using QueueWorkers.Monitoring.Alerts;

namespace Orders.Dashboard.Tests.Alerts;

/// <summary>Alert mails go through the mail server of the email step, with its login, TLS and authority.</summary>
public sealed class AlertMailTests
{
    [Test]
    public async Task An_alert_is_mailed_to_a_server_that_requires_TLS_and_a_login()
    {
        await using var world = await OutsideWorldHost.StartAsync();
        world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        var authority = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(authority, world.SmtpAuthority);
            await using var services = new ServiceCollection()
                .AddAlerts(
                    Of(
                        ("Alerts:MailTo", "ops@orders.example"),
                        ("Email:Smtp:Host", "localhost"),
                        ("Email:Smtp:Port", $"{world.SmtpPort}"),
                        ("Email:Smtp:Username", "orders"),
                        ("Email:Smtp:Password", "let me in"),
                        ("Email:Smtp:CaFile", authority),
                        ("Email:Smtp:CheckRevocation", "false")
                    )
                )
                .BuildServiceProvider();
            await services
                .GetRequiredService<IAlertReceiver>()
                .TellAsync(new Alert { Rule = "no-workers", Says = "Nobody works." }, CancellationToken.None);
        }
        finally
        {
            File.Delete(authority);
        }

        Assert.That(
            world.Mails.Delivered.Single(),
            Has.Property("To").EqualTo("ops@orders.example").And.Property("Subject").EqualTo("Alert: no-workers")
        );
    }

    [Test]
    public void Without_a_mail_server_an_alert_receiver_by_mail_is_refused_at_the_start() =>
        Assert.That(
            () => new ServiceCollection().AddAlerts(Of(("Alerts:MailTo", "ops@orders.example"))),
            Throws.TypeOf<InvalidConfigurationException>().With.Message.Contains("Email__Smtp__Host")
        );

    // .env has one login for the email step and for alerts.
    [Test]
    public async Task Without_an_alert_receiver_by_mail_settings_of_the_mail_server_do_not_stop_the_dashboard()
    {
        (string, string?)[] wrong = [("Email:Smtp:Port", "none"), ("Email:Smtp:Username", "shop")];
        await using var services = new ServiceCollection().AddAlerts(Of(wrong)).BuildServiceProvider();

        Assert.That(services.GetServices<IAlertReceiver>(), Is.Empty);
        Assert.That(
            () =>
                new ServiceCollection().AddAlerts(
                    Of([.. wrong, ("Alerts:MailTo", "ops@orders.example"), ("Alerts:WebhookUrl", "chat")])
                ),
            Throws
                .TypeOf<InvalidConfigurationException>()
                .With.Message.Contains("Email__Smtp__Port")
                .And.Message.Contains("Email__Smtp__Password")
                .And.Message.Contains("Alerts__WebhookUrl"),
            "with one, every problem is named"
        );
    }

    private static IConfiguration Of(params (string Name, string? Value)[] values) =>
        new ConfigurationBuilder().AddInMemoryCollection(values.ToDictionary(v => v.Name, v => v.Value)).Build();
}
