using System.Net;
using QueueWorkers.Operators;

namespace Orders.Dashboard.Tests.Login;

/// <summary>A browser at an address of its own: the tests' reverse proxy says from where a request comes.</summary>
internal sealed class LoginClient : IDisposable
{
    public const string Password = "correct horse battery staple";

    private readonly HttpClient _http;

    /// <param name="dashboard">The dashboard; it believes the proxy at 127.0.0.1.</param>
    /// <param name="from">The client's address.</param>
    public LoginClient(DashboardHost dashboard, string from)
    {
        _http = new HttpClient(
            new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }
        )
        {
            BaseAddress = dashboard.Address,
            // Logins wait for one another.
            Timeout = TimeSpan.FromMinutes(3),
        };
        _http.DefaultRequestHeaders.Add("X-Forwarded-For", from);
    }

    /// <summary>Lets operators log in.</summary>
    public static async Task GivePasswordsAsync(OrdersSystem system, params IEnumerable<string> names)
    {
        var operators = new OperatorStore(system.Database.Source);
        foreach (var name in names)
            await operators.EnsureAsync(name, OperatorRole.Operator, Password, null, default);
    }

    public async Task<LoginAnswer> LogInAsync(
        string name,
        string password,
        params IEnumerable<(string Name, string Value)> headers
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/login", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent([new("name", name), new("password", password)]),
        };
        foreach (var (header, value) in headers)
            request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await _http.SendAsync(request);
        return new LoginAnswer(
            (int)answer.StatusCode,
            answer.Headers.RetryAfter?.Delta,
            answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? string.Join('\n', cookies) : "",
            await answer.Content.ReadAsStringAsync()
        );
    }

    public async Task<int> LookAsync(string path, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        foreach (var (header, value) in headers)
            request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await _http.SendAsync(request);
        return (int)answer.StatusCode;
    }

    public Task<string> ReadAsync(string path) => _http.GetStringAsync(new Uri(path, UriKind.Relative));

    public async Task<HttpResponseMessage> OpenAsync(string path, CancellationToken cancellationToken) =>
        await _http.GetAsync(
            new Uri(path, UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            cancellationToken
        );

    public async Task<string> PostAsync(string path, params IEnumerable<(string Name, string Value)> fields)
    {
        using var answer = await _http.PostAsync(
            new Uri(path, UriKind.Relative),
            new FormUrlEncodedContent(fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value)))
        );
        return answer.Headers.Location?.ToString() ?? $"{(int)answer.StatusCode}";
    }

    public void Dispose() => _http.Dispose();
}

/// <summary>The answer to a login.</summary>
internal sealed record LoginAnswer(int Status, TimeSpan? RetryAfter, string Cookies, string Page);
