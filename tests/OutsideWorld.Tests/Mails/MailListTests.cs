using System.Net;

namespace Orders.OutsideWorld.Tests.Mails;

public sealed class MailListTests : OutsideWorldFixture
{
    [Test]
    public async Task Limit_and_offset_take_a_part_in_the_order_of_arrival()
    {
        foreach (var subject in new[] { "1", "2", "3", "4" })
            await SendAsync(Mail(subject));

        var part = await MailsAsync("?limit=2&offset=1");
        Assert.That(part.Select(mail => mail.GetProperty("subject").GetString()), Is.EqualTo(new[] { "2", "3" }));
    }

    [TestCase("?limit=-1")]
    [TestCase("?offset=-1")]
    [TestCase("?outcome=some")]
    [TestCase("?limit=few")]
    public async Task A_query_that_makes_no_sense_is_refused_as_a_problem(string query)
    {
        using var answer = await Http.GetAsync("/mails" + query);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
    }

    [Test]
    public async Task DELETE_forgets_every_mail()
    {
        await SendAsync(Mail());
        using var answer = await Http.DeleteAsync("/mails");

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        Assert.That(await MailsAsync("?outcome=all"), Is.Empty);
        Assert.That(await MailsAsync("?to=zoe@example.com"), Is.Empty);
    }
}
