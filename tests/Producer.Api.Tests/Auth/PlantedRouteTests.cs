using Microsoft.AspNetCore.Builder;

namespace Orders.Producer.Api.Tests.Auth;

internal sealed class PlantedRouteTests : ApiFixture
{
    [Test]
    public async Task A_route_that_says_nothing_about_its_callers_is_closed_to_everybody()
    {
        await using var host = await ApiHost.StartAsync(
            Database.ConnectionString,
            app => app.MapPost("/planted", () => "open")
        );
        using var http = new HttpClient { BaseAddress = host.Address };
        foreach (var key in (string?[])[null, Alice])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/planted", UriKind.Relative));
            if (key is not null)
                request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {key}");
            using var response = await http.SendAsync(request);
            Assert.That((int)response.StatusCode, Is.EqualTo(403), key ?? "without a key");
        }
    }
}
