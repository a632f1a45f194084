using System.Net;
using MimeKit;
using Orders.OutsideWorld;
using Orders.OutsideWorld.Faults;
using Orders.Smtp;
using Orders.Testing.Servers;
using Orders.Workers.Email;
using Orders.Workers.Email.Smtp;

namespace Orders.Workers.Tests.Email;

/// <summary>
/// A mail server that requires TLS and a login: real TLS with certificates of an authority that was made for the test,
/// settings as an operator writes them.
/// </summary>
public sealed class SecureMailServerTests
{
    private const string Password = "a;b \"c$d";

    private RunningWorld _world = null!;
    private string _files = null!;

    [SetUp]
    public async Task StartAWorld()
    {
        _world = await OutsideWorldHost.StartAsync(o => (o.SmtpUsername, o.SmtpPassword) = ("shop", Password));
        _files = Directory.CreateTempSubdirectory("smtp").FullName;
    }

    [TearDown]
    public async Task StopIt()
    {
        await _world.DisposeAsync();
        Directory.Delete(_files, recursive: true);
    }

    [TestCase(SmtpMode.AuthStartTls, "StartTls")]
    [TestCase(SmtpMode.AuthStartTls, "Auto")]
    [TestCase(SmtpMode.AuthTls, "SslOnConnect")]
    [TestCase(SmtpMode.AuthTls, "Tls")]
    public async Task A_login_over_TLS_is_accepted(SmtpMode mode, string security)
    {
        _world.Behaviour.Smtp.Set(new(mode));

        Assert.That(
            await SendAsync(("Security", security), ("Username", "shop"), ("Password", Password)),
            Is.EqualTo(MailOutcome.Accepted)
        );
        Assert.That(_world.Mails.DeliveredCount, Is.EqualTo(1));
    }

    [Test]
    public async Task Name_and_password_come_from_files_and_a_new_password_needs_no_restart()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        var (user, password) = (Write("user", "shop\n"), Write("password", "yesterday's\n"));
        await using var pool = PoolOf(("UsernameFile", user), ("PasswordFile", password));

        Assert.That(() => SendAsync(pool), Throws.TypeOf<MailServerRefusedException>().With.Message.Contains("5.7.8"));
        Write("password", Password + "\n");
        Assert.That(await SendAsync(pool), Is.EqualTo(MailOutcome.Accepted));
        File.Delete(password);
        await using var other = PoolOf(("UsernameFile", user), ("Password", Password));
        File.Delete(user);
        Assert.That(() => SendAsync(other), Throws.TypeOf<MailServerRefusedException>().With.Message.Contains(user));
    }

    [Test]
    public async Task A_token_from_a_file_is_sent_with_XOAUTH2()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        var token = Write("token", "old\n");
        await using var pool = PoolOf(("Username", "shop"), ("OAuth:TokenFile", token));

        Assert.That(() => SendAsync(pool), Throws.TypeOf<MailServerRefusedException>());
        Write("token", "let-me-in-too\n");
        Assert.That(await SendAsync(pool), Is.EqualTo(MailOutcome.Accepted));
    }

    [Test]
    public async Task A_token_by_client_credentials_is_asked_for_once_and_again_when_it_is_refused()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthTls));
        await using var tokens = new TokenServer("withdrawn", "let-me-in-too");
        await using var pool = PoolOf(
            ("Security", "SslOnConnect"),
            ("Username", "shop"),
            ("OAuth:TokenUrl", tokens.Url),
            ("OAuth:ClientId", "orders"),
            ("OAuth:ClientSecretFile", Write("secret", "s3cret\n")),
            ("OAuth:Scope", "https://mail.example/.default")
        );

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => SendAsync(pool)));
        Assert.That(
            tokens.Asked,
            Is.EqualTo(
                Enumerable.Repeat(
                    "grant_type=client_credentials&client_id=orders&client_secret=s3cret&scope=https%3A%2F%2Fmail.example%2F.default",
                    2
                )
            )
        );
    }

    [Test]
    public async Task A_token_server_that_refuses_concerns_every_mail_and_is_quoted()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        await using var tokens = new TokenServer();
        await using var pool = PoolOf(
            ("Username", "shop"),
            ("OAuth:TokenUrl", tokens.Url),
            ("OAuth:ClientId", "orders"),
            ("OAuth:ClientSecret", "s3cret")
        );

        Assert.That(
            () => SendAsync(pool),
            Throws
                .TypeOf<MailServerRefusedException>()
                .With.Message.Contains("401 invalid_client")
                .And.Message.Not.Contains("s3cret")
        );
    }

    // RFC 6749 has a number; some servers write text, and the member is optional.
    [TestCase("3599", 1)]
    [TestCase("3599.5", 1)]
    [TestCase("1e300", 1)]
    [TestCase("\"3599\"", 1)]
    [TestCase("\"soon\"", 2)]
    [TestCase("null", 2)]
    [TestCase("{}", 2)]
    [TestCase("-1", 2)]
    public async Task A_token_is_kept_for_expires_in_and_for_one_login_if_that_cannot_be_read(string expires, int asked)
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        await using var tokens = new TokenServer("let-me-in-too", "let-me-in-too") { ExpiresIn = expires };
        await using var pool = PoolOf(LoginAt(tokens));
        var first = await pool.TakeAsync(CancellationToken.None);
        var second = await pool.TakeAsync(CancellationToken.None);
        await pool.GiveBackAsync(first, isBroken: false);
        await pool.GiveBackAsync(second, isBroken: false);

        Assert.That(tokens.Asked, Has.Count.EqualTo(asked));
        Assert.That(await SendAsync(pool), Is.EqualTo(MailOutcome.Accepted));
    }

    [Test]
    public async Task A_token_is_read_whatever_the_answer_says_of_its_charset()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        await using var tokens = new TokenServer("let-me-in-too") { ContentType = "application/json; charset=utf8x" };
        await using var pool = PoolOf(LoginAt(tokens));

        Assert.That(await SendAsync(pool), Is.EqualTo(MailOutcome.Accepted));
    }

    // A lone surrogate is JSON, and no text.
    [TestCase("\\ud800")]
    [TestCase("")]
    [TestCase("\"")]
    public async Task An_answer_that_is_no_token_concerns_every_mail(string token)
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));
        await using var tokens = new TokenServer(token);
        await using var pool = PoolOf(LoginAt(tokens));

        Assert.That(
            () => SendAsync(pool),
            Throws.TypeOf<MailServerRefusedException>().With.Message.Contains("Expected an access token")
        );
    }

    [TestCase("5.7.8 user", "Username", "shop", "Password", "wrong")]
    [TestCase("certificate is not trusted", "CaFile", "", "", "")]
    [TestCase("RevocationStatusUnknown", "CheckRevocation", "true", "", "")]
    [TestCase("authentication required", "Username", "", "Password", "")]
    public void What_every_mail_would_meet_is_not_the_mails(
        string said,
        string name,
        string value,
        string other,
        string otherValue
    )
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthStartTls));

        Assert.That(
            () =>
                SendAsync(
                    ("Security", "StartTls"),
                    ("Username", "shop"),
                    ("Password", Password),
                    (name, value),
                    (other, otherValue)
                ),
            Throws.TypeOf<MailServerRefusedException>().With.Message.Contains(said)
        );
        Assert.That(_world.Mails.DeliveredCount, Is.Zero);
    }

    [Test]
    public void A_login_is_not_sent_to_a_server_without_TLS() =>
        Assert.That(
            () => SendAsync(("Username", "shop"), ("Password", Password)),
            Throws.TypeOf<MailServerRefusedException>().With.Message.Contains("STARTTLS")
        );

    [Test]
    public void A_mail_is_not_sent_to_a_server_whose_name_is_another()
    {
        _world.Behaviour.Smtp.Set(new(SmtpMode.AuthTls));

        Assert.That(
            () => SendAsync(("Host", "::ffff:127.0.0.1"), ("Security", "SslOnConnect")),
            Throws.TypeOf<MailServerRefusedException>().With.Message.Contains("RemoteCertificateNameMismatch")
        );
    }

    private static (string Name, string Value)[] LoginAt(TokenServer tokens) =>
        [
            ("Username", "shop"),
            ("OAuth:TokenUrl", tokens.Url),
            ("OAuth:ClientId", "orders"),
            ("OAuth:ClientSecret", "s3cret"),
        ];

    private async Task<MailOutcome> SendAsync(params (string Name, string Value)[] settings)
    {
        await using var pool = PoolOf(settings);
        return await SendAsync(pool);
    }

    private static async Task<MailOutcome> SendAsync(SmtpPool pool)
    {
        var mailer = new Mailer(pool, new EmailOptions { SendTimeout = TimeSpan.FromSeconds(10) });
        await using var connected = await mailer.ConnectAsync();
        using var mail = OrderMail.Confirmation(
            SampleDetails.Of(),
            new MailboxAddress("Orders", "orders@orders.example"),
            $"{Guid.NewGuid():N}@orders.example"
        );
        return await mailer.SendAsync(connected, mail, new SmtpTransferMonitor(TimeSpan.FromMinutes(1)));
    }

    private SmtpPool PoolOf(params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>
        {
            ["Email:Smtp:Host"] = "localhost",
            ["Email:Smtp:Port"] = $"{_world.SmtpPort}",
            ["Email:Smtp:CaFile"] = Write("ca.pem", _world.SmtpAuthority),
            // The authority of the test publishes no list.
            ["Email:Smtp:CheckRevocation"] = "false",
        };
        foreach (var (name, value) in settings.Where(s => s.Name != ""))
            all[$"Email:Smtp:{name}"] = value;
        return new SmtpPool(SmtpOptions.Read(Tests.Settings.Of([.. all.Select(s => (s.Key, s.Value))])));
    }

    private string Write(string name, string text)
    {
        var file = Path.Combine(_files, name);
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>Gives one token after the other; without any it refuses the client.</summary>
    private sealed class TokenServer : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly Queue<string> _tokens;
        private readonly Task _serving;

        public TokenServer(params string[] tokens)
        {
            _tokens = new Queue<string>(tokens);
            Url = Start();
            _serving = ServeAsync();
        }

        public string Url { get; }

        public List<string> Asked { get; } = [];

        public string ExpiresIn { get; init; } = "3600";

        public string? ContentType { get; init; }

        public async ValueTask DisposeAsync()
        {
            _listener.Close();
            await _serving;
        }

        // HttpListener takes no port 0.
        private string Start()
        {
            var url = $"http://127.0.0.1:{FreePort.Take()}/token/";
            _listener.Prefixes.Add(url);
            _listener.Start();
            return url;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    var context = await _listener.GetContextAsync();
                    using var reader = new StreamReader(context.Request.InputStream);
                    Asked.Add(await reader.ReadToEndAsync());
                    var given = _tokens.TryDequeue(out var token);
                    context.Response.StatusCode = given ? 200 : 401;
                    context.Response.ContentType = ContentType;
                    context.Response.Close(
                        System.Text.Encoding.UTF8.GetBytes(
                            given
                                ? $$"""{"access_token":"{{token}}","token_type":"Bearer","expires_in":{{ExpiresIn}}}"""
                                : """{"error":"invalid_client"}"""
                        ),
                        willBlock: false
                    );
                }
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
