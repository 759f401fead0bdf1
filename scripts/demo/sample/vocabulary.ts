/** Words that the sample's texts are made of. */

export const firstNames = words(`
  Ana Antônia Beatriz Bruno Caio Camila Conceição Davi Débora Eduardo Elisângela Fábio Fernanda
  Gabriel Giovanna Heitor Inês Iracema João Júlia Larissa Letícia Lívia Luís Márcia Mateus
  Moacir Natália Otávio Patrícia Raí Renata Sebastião Sílvia Tainá Thiago Ubiratan Vitória
  Yasmin Zélia
`);

export const lastNames = words(`
  Almeida Araújo Barbosa Cardoso Carvalho Conceição Costa D'Ávila Dias Farias Fernandes Ferreira
  Gonçalves Lima Magalhães Nascimento Oliveira Pereira Ribeiro Santos Silva Simões Souza
  Teixeira Vieira Xavier
`);

export const streets = [
  'Rua das Acácias',
  'Avenida Getúlio Vargas',
  'Travessa São João',
  'Rua Sete de Setembro',
  'Alameda dos Ipês',
  'Rua Padre Anchieta',
  'Avenida Beira-Mar',
  'Largo da Matriz',
  'Rodovia BR-116, km 12',
  'Praça da Sé',
] as const;

/** City, state, longitude, latitude. */
export const cities = [
  ['São Paulo', 'SP', -46.6333, -23.5505],
  ['Rio de Janeiro', 'RJ', -43.1729, -22.9068],
  ['Belo Horizonte', 'MG', -43.9378, -19.9208],
  ['Salvador', 'BA', -38.5014, -12.9718],
  ['Fortaleza', 'CE', -38.5423, -3.7172],
  ['Manaus', 'AM', -60.025, -3.1019],
  ['Curitiba', 'PR', -49.2733, -25.4284],
  ['Recife', 'PE', -34.8813, -8.0539],
  ['Goiânia', 'GO', -49.2539, -16.6799],
  ['Porto Alegre', 'RS', -51.2287, -30.0277],
  ['Belém', 'PA', -48.5039, -1.4558],
  ['Florianópolis', 'SC', -48.548, -27.5954],
  ['Macapá', 'AP', -51.0666, 0.0349],
] as const;

/** Department and what it sells. */
export const departments = [
  ['Café e chá', ['Café torrado', 'Chá mate', 'Coador', 'Moedor', 'Xícara']],
  ['Cozinha', ['Panela de barro', 'Frigideira', 'Faca', 'Tábua', 'Pilão']],
  ['Instrumentos', ['Violão', 'Cavaquinho', 'Pandeiro', 'Berimbau', 'Cuíca']],
  ['Jardim', ['Regador', 'Vaso', 'Adubo', 'Tesoura', 'Orquídea']],
  ['Livros', ['Romance', 'Poesia', 'Atlas', 'Dicionário', 'Cordel']],
  ['Praia', ['Canga', 'Guarda-sol', 'Chinelo', 'Frescobol', 'Cooler']],
  ['Redes', ['Rede de casal', 'Rede infantil', 'Gancho', 'Corda', 'Suporte']],
] as const;

export const qualities = [
  'artesanal',
  'clássico',
  'compacto',
  'de cerâmica',
  'dobrável',
  'edição limitada',
  'orgânico',
  'profissional',
] as const;

/** What people write: accents, quotes, backslashes, line breaks, emoji beyond the basic plane. */
export const remarks = [
  'Entregar na portaria.',
  'Presente 🎁 — embrulhar, por favor',
  "Deixar com a vizinha, D. Zélia (ap. 12), não com o 'síndico'",
  'Cuidado: frágil ⚠️',
  'Ligar antes\nSó depois das 18h',
  'Caminho: C:\\notas\\pedido.txt',
  'Parabéns! 🥳🇧🇷 Um abraço de toda a família 👨‍👩‍👧‍👦',
  'Trocar por "azul" se faltar',
  '10% de desconto prometido no balcão',
  '',
] as const;

export const carriers = [
  'Correios PAC',
  'Correios SEDEX',
  'Jadlog',
  'Loggi',
  'Total Express',
] as const;

export const userAgents = [
  'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/138.0',
  'app/4.2 (Android 15; pt-BR)',
] as const;

export const ledgerAccounts = [
  ['asset', 'Caixa'],
  ['asset', 'Bancos'],
  ['asset', 'Clientes'],
  ['liability', 'Fornecedores'],
  ['liability', 'Impostos a recolher'],
  ['equity', 'Capital social'],
  ['revenue', 'Vendas'],
  ['expense', 'Frete'],
  ['expense', 'Folha de pagamento'],
  ['expense', 'Tarifas bancárias'],
] as const;

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
