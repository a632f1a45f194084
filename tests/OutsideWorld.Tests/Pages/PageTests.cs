using System.Net;
using Orders.OutsideWorld.Faults;
using Orders.OutsideWorld.Mails;

namespace Orders.OutsideWorld.Tests.Pages;

public sealed class PageTests : OutsideWorldFixture
{
    private const string Hostile = "<script>alert(1)</script>";

    [Test]
    public async Task What_a_mail_says_is_shown_and_never_run()
    {
        var mail = Mail(Hostile, $"{Hostile} & \"quotes\"");
        mail.Headers.Replace("Message-Id", "\"><img src=x>");
        await SendAsync(mail);
        using var answer = await Http.GetAsync("/");
        var page = await answer.Content.ReadAsStringAsync();

        Assert.Multiple(() =>
        {
            Assert.That(page, Does.Not.Contain("<script").IgnoreCase.And.Not.Contain("<img").IgnoreCase);
            Assert.That(WebUtility.HtmlDecode(page), Does.Contain(Hostile));
            Assert.That(
                answer.Headers.GetValues("Content-Security-Policy").Single(),
                Does.StartWith("default-src 'none'").And.Not.Contain("unsafe")
            );
            Assert.That(answer.Content.Headers.ContentType?.ToString(), Is.EqualTo("text/html; charset=utf-8"));
        });
    }

    [Test]
    public async Task What_a_caller_of_the_warehouse_says_is_shown_and_never_run()
    {
        World.Warehouse.RecordFailure(Hostile, Hostile, 503);
        World.Warehouse.RecordFailure(null, null, 0);
        World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Slow, TimeSpan.FromMilliseconds(250), 0.2m));
        var page = await Http.GetStringAsync("/calls");

        Assert.That(page, Does.Not.Contain("<script").IgnoreCase.And.Contain("503").And.Contain("cut"));
        Assert.That(page, Does.Contain("slow by 250 ms, hitting 20 %"));
    }

    [Test]
    public async Task A_filter_in_the_address_is_escaped_too()
    {
        var page = await Http.GetStringAsync(
            "/?to=" + Uri.EscapeDataString("\"><script>") + "&messageId=" + Uri.EscapeDataString(Hostile)
        );

        Assert.That(page, Does.Not.Contain("<script").IgnoreCase);
    }

    [Test]
    public async Task A_hundred_thousand_mails_are_paged_newest_first()
    {
        for (var number = 1; number <= 100_000; number++)
            World.Mails.Record(
                new ReceivedMail
                {
                    MessageId = $"{number}@x",
                    Recipients = [$"c{number}@example.com"],
                    Subject = $"Order no. {number}!",
                    Text = "Thank you.",
                    ReceivedAt = DateTimeOffset.UtcNow,
                    Outcome = ReceptionOutcome.Accepted,
                }
            );
        var (first, second, last, one) = (
            await Http.GetStringAsync("/"),
            await Http.GetStringAsync("/?page=2"),
            await Http.GetStringAsync("/?page=2000"),
            await Http.GetStringAsync("/?to=c777@example.com")
        );

        Assert.Multiple(() =>
        {
            Assert.That(
                first,
                Does.Contain("Order no. 100000!")
                    .And.Contain("Order no. 99951!")
                    .And.Not.Contain("Order no. 99950!")
                    .And.Contain("/?page=2")
            );
            Assert.That(second, Does.Contain("Order no. 99950!").And.Not.Contain("Order no. 99951!"));
            Assert.That(last, Does.Contain("Order no. 1!").And.Not.Contain("Older"));
            Assert.That(one, Does.Contain("Order no. 777!").And.Not.Contain("Order no. 778!"));
            // A page costs what it shows, however many mails there are.
            Assert.That(
                new[] { first, second, last, one }.Select(page => page.Split("<details").Length - 1),
                Is.EqualTo(new[] { 50, 50, 50, 1 }),
                "mails on each page"
            );
        });
    }

    [TestCase("/?page=0")]
    [TestCase("/?page=99999999")]
    [TestCase("/calls?page=-5")]
    [TestCase("/world.css")]
    [TestCase("/health/live")]
    [TestCase("/health/ready")]
    public async Task It_is_there(string path)
    {
        using var answer = await Http.GetAsync(path);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
    }

    [Test]
    public async Task A_world_that_plays_down_is_live_and_ready_all_the_same()
    {
        World.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Down));
        World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Down));

        Assert.That(await Http.GetStringAsync("/health/live"), Is.EqualTo("live"));
        Assert.That(await Http.GetStringAsync("/health/ready"), Is.EqualTo("ready"));
    }
}
