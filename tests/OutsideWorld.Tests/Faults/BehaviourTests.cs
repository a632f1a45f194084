using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Tests.Faults;

public sealed class BehaviourTests : OutsideWorldFixture
{
    private async Task<HttpResponseMessage> PutAsync(string body) =>
        await Http.PutAsync("/behaviour", new StringContent(body, Encoding.UTF8, "application/json"));

    [Test]
    public async Task A_world_starts_well_behaved()
    {
        Assert.That(
            await Http.GetStringAsync("/behaviour"),
            Is.EqualTo(
                """{"smtp":{"mode":"ok","delayMs":0,"share":1},"warehouse":{"mode":"ok","delayMs":0,"share":1}}"""
            )
        );
    }

    [Test]
    public async Task What_is_put_is_in_force_and_shown()
    {
        const string Both =
            """{"smtp":{"mode":"slow","delayMs":250,"share":0.2,"loseReply":true},"warehouse":{"mode":"error","delayMs":0,"share":0.5}}""";
        using var answer = await PutAsync(Both);

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(await Http.GetStringAsync("/behaviour"), Is.EqualTo(Both));
        Assert.That(
            World.Behaviour.Smtp.Current,
            Is.EqualTo(
                new FaultProfile<SmtpMode>(SmtpMode.Slow, TimeSpan.FromMilliseconds(250), 0.2m) { LoseReply = true }
            )
        );
    }

    [Test]
    public async Task A_section_left_out_stays_as_it_is()
    {
        (await PutAsync("""{"smtp":{"mode":"tempfail"}}""")).Dispose();
        (await PutAsync("""{"warehouse":{"mode":"down"}}""")).Dispose();

        Assert.That(World.Behaviour.Smtp.Current.Mode, Is.EqualTo(SmtpMode.TempFail));
        Assert.That(World.Behaviour.Warehouse.Current.Mode, Is.EqualTo(WarehouseMode.Down));
    }

    [Test]
    public async Task Every_mode_can_be_put()
    {
        foreach (var smtp in Enum.GetNames<SmtpMode>())
        {
            using var answer = await PutAsync($$"""{"smtp":{"delayMs":1,"mode":"{{smtp.ToLowerInvariant()}}" } }""");
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), smtp);
        }

        foreach (var warehouse in Enum.GetNames<WarehouseMode>())
        {
            using var answer = await PutAsync(
                $$"""{"warehouse":{"delayMs":1,"mode":"{{warehouse.ToLowerInvariant()}}" } }"""
            );
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), warehouse);
        }
    }

    [TestCase("", "")]
    [TestCase("{", "")]
    [TestCase("[]", "")]
    [TestCase("{}", "")]
    [TestCase("""{"smtp":{"mode":"ok"},"smtp":{"mode":"down"}}""", "")]
    [TestCase("""{"fax":{"mode":"ok"}}""", "/fax")]
    [TestCase("""{"smtp":"down"}""", "/smtp")]
    [TestCase("""{"smtp":{}}""", "/smtp/mode")]
    [TestCase("""{"smtp":{"mode":"fast"}}""", "/smtp/mode")]
    [TestCase("""{"smtp":{"mode":"error"}}""", "/smtp/mode")]
    [TestCase("""{"smtp":{"mode":3}}""", "/smtp/mode")]
    [TestCase("""{"smtp":{"mode":"slow"}}""", "/smtp/delayMs")]
    [TestCase("""{"smtp":{"mode":"slow","delayMs":-1}}""", "/smtp/delayMs")]
    [TestCase("""{"warehouse":{"mode":"retryafter"}}""", "/warehouse/delayMs")]
    [TestCase("""{"smtp":{"mode":"slow","delayMs":"9"}}""", "/smtp/delayMs")]
    [TestCase("""{"smtp":{"mode":"ok","share":1.1}}""", "/smtp/share")]
    [TestCase("""{"smtp":{"mode":"ok","share":"all"}}""", "/smtp/share")]
    [TestCase("""{"smtp":{"mode":"ok","delay":1}}""", "/smtp/delay")]
    [TestCase("""{"smtp":{"mode":"ok","loseReply":"yes"}}""", "/smtp/loseReply")]
    [TestCase("""{"warehouse":{"mode":"ok","loseReply":true}}""", "/warehouse/loseReply")]
    [TestCase("""{"smtp":{"mode":"\ud800"}}""", "")]
    public async Task What_is_not_understood_is_refused_with_what_was_expected_and_found_and_changes_nothing(
        string body,
        string at
    )
    {
        World.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Reject));
        using var answer = await PutAsync(body);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That(answer.Content.Headers.ContentType?.MediaType, Is.EqualTo("application/problem+json"));
        Assert.That(
            problem.GetProperty("errors").GetProperty(at)[0].GetString(),
            Does.StartWith("expected ").And.Contain("; found ")
        );
        Assert.That(World.Behaviour.Smtp.Current.Mode, Is.EqualTo(SmtpMode.Ok));
        Assert.That(World.Behaviour.Warehouse.Current.Mode, Is.EqualTo(WarehouseMode.Reject));
    }
}
